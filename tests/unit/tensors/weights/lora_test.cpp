#include "tensors/weights/lora.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "families/wan/wan_family.h"
#include "tensors/weights/safetensors_writer.h"
#include "tensors/weights/weights.h"
#include "unit/checkpoint_files.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

const fs::path kFixtures = fs::path(T2V_FIXTURES) / "lora";
constexpr double kTolerance = 1e-6;  // relative to the largest value: float32 sums in another order

Component transformer() { return open_tensors(kFixtures / "transformer", "diffusion_pytorch_model"); }

Weights merged(const std::vector<NamedLora>& choices, at::ScalarType dtype = at::kFloat) {
  const Component component = transformer();
  return Weights::open(component, {.placement = {dtype, at::kCPU},
                                   .keep_in_fp32 = {},
                                   .loras = open_loras(choices, wan_family(), component)});
}

/// Every tensor of the transformer is what diffusers has after fuse_lora: the golden file lists those that
/// changed.
void expect_golden(const Weights& weights, const fs::path& golden) {
  const Component component = transformer();
  const Weights before = Weights::open(component, {});
  const Weights after = Weights::open_file(golden, {});
  for (const auto& [name, source] : component.tensors) {
    const Tensor expected = after.has(name) ? after.tensor(name) : before.tensor(name);
    const double error = (weights.tensor(name) - expected).abs().max().item<double>();
    EXPECT_LE(error, kTolerance * expected.abs().max().item<double>()) << name;
  }
}

TEST(LoraTest, EqualsWhatDiffusersMerges) {
  const auto cases = nlohmann::json::parse(std::ifstream(kFixtures / "cases.json"));
  for (const auto& [name, strengths] : cases.items()) {
    SCOPED_TRACE(name);
    std::vector<NamedLora> choices;
    for (const auto& [file, strength] : strengths.items()) {
      choices.push_back({kFixtures / (file + ".safetensors"), strength.get<double>()});
    }
    expect_golden(merged(choices), kFixtures / (name + "_merged.safetensors"));
  }
}

TEST(LoraTest, IsMergedBeforeRounding) {
  const std::vector<NamedLora> choices = {{kFixtures / "comfy.safetensors", 1}};
  const Weights exact = merged(choices), rounded = merged(choices, at::kBFloat16);
  for (const char* name : {"blocks.0.attn1.to_q.weight", "blocks.1.ffn.net.0.proj.bias"}) {
    EXPECT_TRUE(at::equal(rounded.tensor(name), exact.tensor(name).to(at::kBFloat16))) << name;
  }
}

TEST(LoraTest, StrengthNothingChangesNothing) {
  const Component component = transformer();
  const Weights before = Weights::open(component, {}), after = merged({{kFixtures / "peft.safetensors", 0}});
  for (const auto& [name, source] : component.tensors) {
    EXPECT_TRUE(at::equal(before.tensor(name), after.tensor(name))) << name;
  }
}

class LoraFilesTest : public WeightsFolder {
 protected:
  using Tensors = std::vector<std::pair<std::string, Tensor>>;

  fs::path lora(const Tensors& tensors, const std::map<std::string, std::string>& metadata = {}) const {
    write_safetensors(path("lora.safetensors"), tensors, metadata);
    return path("lora.safetensors");
  }
  Tensor change(const fs::path& file, const std::string& name, bool second_expert = false) const {
    const Component component = transformer();
    const Weights weights =
        Weights::open(component, {.placement = {},
                                  .keep_in_fp32 = {},
                                  .loras = open_loras({{file, 1}}, wan_family(), component, second_expert)});
    return weights.tensor(name) - Weights::open(component, {}).tensor(name);
  }
  std::string refusal(const Tensors& tensors, const std::map<std::string, std::string>& metadata = {}) const {
    return input_error([&] { open_loras({{lora(tensors, metadata), 1}}, wan_family(), transformer()); });
  }
  /// The two matrices of a module of 12 rows and columns, of which each element of B A is `value`.
  static Tensors pair(const std::string& module, double value) {
    return {{module + ".lora_A.weight", at::full({2, 12}, 1.0)},
            {module + ".lora_B.weight", at::full({12, 2}, value / 2)}};
  }
  static void expect_all(const Tensor& tensor, double value) {
    EXPECT_LE((tensor - value).abs().max().item<double>(), 1e-6);
  }
};

TEST_F(LoraFilesTest, DeltasOfWeightsBiasesNormsAndTables) {
  const fs::path file = lora({{"diffusion_model.blocks.0.self_attn.q.diff", at::full({12, 12}, 0.5)},
                              {"diffusion_model.blocks.0.self_attn.q.diff_b", at::full({12}, 0.25)},
                              {"diffusion_model.blocks.0.norm3.diff", at::full({12}, 2.0)},
                              {"diffusion_model.blocks.1.diff_m", at::full({1, 6, 12}, 3.0)},
                              {"diffusion_model.head.diff_m", at::full({1, 2, 12}, 4.0)}});
  expect_all(change(file, "blocks.0.attn1.to_q.weight"), 0.5);
  expect_all(change(file, "blocks.0.attn1.to_q.bias"), 0.25);
  expect_all(change(file, "blocks.0.norm2.weight"), 2.0);
  expect_all(change(file, "blocks.1.scale_shift_table"), 3.0);
  expect_all(change(file, "scale_shift_table"), 4.0);
  expect_all(change(file, "blocks.1.attn1.to_q.weight"), 0.0);
}

TEST_F(LoraFilesTest, ABiasOfTheUpMatrixMayBeARow) {
  const std::string module = "blocks.0.attn1.to_q";
  Tensors tensors = pair(module, 0.5);
  tensors.emplace_back(module + ".lora_B.bias", at::full({1, 12}, 0.25));
  expect_all(change(lora(tensors), module + ".bias"), 0.25);
}

TEST_F(LoraFilesTest, OnWeightsOfEightBits) {
  const std::string name = "blocks.0.attn1.to_q.weight";
  const Tensor base = at::linspace(-2, 2, 144).reshape({12, 12}).to(at::kFloat8_e4m3fn);
  write_safetensors(path("fp8.safetensors"), {{name, base}}, {});
  const Component component = open_tensors(path("fp8.safetensors"));
  const auto loras = open_loras({{lora(pair("blocks.0.attn1.to_q", 0.3)), 1}}, wan_family(), component);
  const Weights weights =
      Weights::open(component, {.placement = {at::kBFloat16, at::kCPU}, .keep_in_fp32 = {}, .loras = loras});
  // Not rounded to eight bits again.
  EXPECT_TRUE(at::allclose(weights.tensor(name).to(at::kFloat), base.to(at::kFloat) + 0.3, 1e-2, 0));
}

TEST_F(LoraFilesTest, ConvolutionsAreMatricesToo) {
  const fs::path file = lora({{"patch_embedding.lora_down.weight", at::full({2, 4, 1, 2, 2}, 1.0)},
                              {"patch_embedding.lora_up.weight", at::full({12, 2, 1, 1, 1}, 0.5)},
                              {"patch_embedding.alpha", at::full({}, 4.0)}});
  expect_all(change(file, "patch_embedding.weight"), 2.0);
}

TEST_F(LoraFilesTest, OneFileForTwoExperts) {
  Tensors tensors = pair("transformer.blocks.0.attn1.to_q", 1);
  const Tensors second = pair("transformer_2.blocks.0.attn1.to_q", 2);
  tensors.insert(tensors.end(), second.begin(), second.end());
  const fs::path file = lora(tensors);
  expect_all(change(file, "blocks.0.attn1.to_q.weight", false), 1);
  expect_all(change(file, "blocks.0.attn1.to_q.weight", true), 2);
  // A file that tells no experts apart is for whichever it is given to.
  const fs::path plain = lora(pair("transformer.blocks.0.attn1.to_q", 3));
  expect_all(change(plain, "blocks.0.attn1.to_q.weight", true), 3);
}

TEST_F(LoraFilesTest, RankStabilizedScaling) {
  const std::map<std::string, std::string> metadata = {
      {"lora_adapter_metadata",
       R"({"transformer.lora_alpha": 4, "transformer.r": 2, "transformer.use_rslora": true})"}};
  const fs::path file = lora(pair("transformer.blocks.0.attn1.to_q", 1), metadata);
  expect_all(change(file, "blocks.0.attn1.to_q.weight"), 4 / std::sqrt(2.0));
}

TEST_F(LoraFilesTest, SaysWhatMatches) {
  Tensors tensors = pair("transformer.blocks.0.attn1.to_q", 1);
  tensors.emplace_back("transformer.blocks.7.attn1.to_q.lora_A.weight", at::zeros({2, 12}));
  tensors.emplace_back("transformer.blocks.7.attn1.to_q.lora_B.weight", at::zeros({12, 2}));
  tensors.emplace_back("lora_te_text_model.lora_down.weight", at::zeros({1, 1}));
  const auto merges = open_loras({{lora(tensors), 1}}, wan_family(), transformer());
  ASSERT_EQ(merges.size(), 1u);
  EXPECT_EQ(merges[0].match.text(),
            "2 of 5 keys matched, 3 ignored: lora_te_text_model.lora_down.weight, "
            "transformer.blocks.7.attn1.to_q.lora_A.weight, transformer.blocks.7.attn1.to_q.lora_B.weight");
  const auto whole = open_loras({{kFixtures / "kohya.safetensors", 1}}, wan_family(), transformer());
  EXPECT_EQ(whole[0].match.text(), "72 of 72 keys matched");
}

TEST_F(LoraFilesTest, OfAnotherModel) {
  EXPECT_THAT(
      refusal({{"transformer.blocks.0.attn1.to_q.lora_A.weight", at::zeros({2, 5120})},
               {"transformer.blocks.0.attn1.to_q.lora_B.weight", at::zeros({5120, 2})}}),
      AllOf(HasSubstr("[2, 5120]"), HasSubstr("[12, 12]"), HasSubstr("of width 5120"), HasSubstr("14B")));
  EXPECT_THAT(refusal({{"transformer.blocks.9.attn1.to_q.lora_A.weight", at::zeros({2, 12})},
                       {"transformer.blocks.9.attn1.to_q.lora_B.weight", at::zeros({12, 2})}}),
              HasSubstr("no key that names a part of this transformer"));
  EXPECT_THAT(
      refusal({{"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight", at::zeros({2, 12})}}),
      AllOf(HasSubstr("no key of a Wan transformer"), HasSubstr("HunyuanVideo or Flux")));
  EXPECT_THAT(refusal({{"weight", at::zeros({2, 12})}}), HasSubstr("no key of a Wan transformer"));
  EXPECT_THAT(refusal({}), HasSubstr("without tensors"));
}

TEST_F(LoraFilesTest, OtherAdapters) {
  Tensors tensors = pair("diffusion_model.blocks.0.self_attn.q", 1);
  tensors.emplace_back("diffusion_model.blocks.0.self_attn.q.dora_scale", at::zeros({12}));
  EXPECT_THAT(refusal(tensors), AllOf(HasSubstr("dora_scale"), HasSubstr("DoRA")));
  EXPECT_THAT(refusal({{"lycoris_blocks_0_self_attn_q.lokr_w1", at::zeros({2, 2})}}), HasSubstr("LoKr"));
  EXPECT_THAT(refusal(pair("transformer.blocks.0.attn1.to_q", 1),
                      {{"lora_adapter_metadata", R"({"transformer.use_dora": true})"}}),
              HasSubstr("use_dora"));
}

TEST_F(LoraFilesTest, Damaged) {
  const std::string q = "transformer.blocks.0.attn1.to_q";
  EXPECT_THAT(refusal({{q + ".lora_A.weight", at::zeros({2, 12})}}), HasSubstr("without its other half"));
  EXPECT_THAT(
      refusal({{q + ".lora_A.weight", at::zeros({2, 12})}, {q + ".lora_B.weight", at::zeros({12, 3})}}),
      HasSubstr("[rank, in]"));
  EXPECT_THAT(refusal({{q + ".lora_A.weight", at::zeros({12})}, {q + ".lora_B.weight", at::zeros({12})}}),
              HasSubstr("[rank, in]"));
  EXPECT_THAT(
      refusal({{q + ".lora_A.weight", at::zeros({0, 12})}, {q + ".lora_B.weight", at::zeros({12, 0})}}),
      HasSubstr("[rank, in]"));
  EXPECT_THAT(refusal({{q + ".diff_b", at::zeros({13})}}), HasSubstr("[13]"));
  EXPECT_THAT(refusal({{q + ".diff", at::zeros({12, 12})}, {q + ".alpha", at::zeros({2})}}),
              HasSubstr("alpha"));
  EXPECT_THAT(refusal({{q + ".diff", at::zeros({12, 12})},
                       {"lora_unet_blocks_0_self_attn_q.diff", at::zeros({12, 12})}}),
              HasSubstr("one of them"));
  for (const char* text : {"", "[]", "{", R"({"lora_alpha": "x"})"}) {
    EXPECT_THAT(refusal(pair(q, 1), {{"lora_adapter_metadata", text}}), HasSubstr("expected a ")) << text;
  }
  const std::string deep =
      R"({"lora_alpha": )" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}";
  EXPECT_THAT(refusal(pair(q, 1), {{"lora_adapter_metadata", deep}}), HasSubstr("deep"));
}

}  // namespace
}  // namespace t2v
