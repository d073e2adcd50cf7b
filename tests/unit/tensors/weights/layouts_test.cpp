// The same tiny weights in every layout and format load to the same tensors.

#include <filesystem>

#include "files/checkpoints/checkpoint.h"
#include "files/checkpoints/recognise.h"
#include "tensors/weights/read_tensor.h"
#include "tensors/weights/safetensors_writer.h"
#include "unit/checkpoint_files.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path kFixtures = fs::path(T2V_FIXTURES) / "checkpoints";

/// Every tensor of a component equals, bit for bit, the one of the reference under "<reference>/".
void expect_equal(const Component& component, const std::string& reference) {
  static const Component expected = open_tensors(kFixtures / "reference.safetensors");
  size_t count = 0;
  for (const auto& [name, source] : expected.tensors) {
    if (!name.starts_with(reference + "/")) continue;
    const std::string own = name.substr(reference.size() + 1);
    ASSERT_TRUE(component.has(own)) << own;
    const Tensor read = read_tensor(component.get(own));
    const Tensor values = read_tensor(source);
    EXPECT_EQ(read.sizes(), values.sizes()) << own;
    EXPECT_TRUE(at::equal(read.to(at::kFloat), values.to(at::kFloat))) << own;
    ++count;
  }
  EXPECT_GT(count, 0u);
  EXPECT_EQ(component.tensors.size(), count);
}

struct LayoutCase {
  const char* file;
  const char* component;
  const char* reference;
};

class LayoutTest : public ::testing::TestWithParam<LayoutCase> {};

TEST_P(LayoutTest, LoadsToTheSameTensors) {
  // An image encoder's head size is in no shape, so that a config.json has to be beside it.
  const fs::path folder = fs::path(::testing::TempDir()) / ("t2v_layout_" + std::to_string(::getpid()));
  fs::create_directories(folder);
  fs::copy_file(kFixtures / GetParam().file, folder / GetParam().file, fs::copy_options::overwrite_existing);
  std::ofstream(folder / "config.json") << R"({"attention_head_dim":16,"num_attention_heads":2})";
  const Checkpoint checkpoint = Checkpoint::open({.model = folder / GetParam().file});
  expect_equal(checkpoint.get(GetParam().component), GetParam().reference);
  fs::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(
    Published, LayoutTest,
    ::testing::Values(LayoutCase{"transformer_original.safetensors", "transformer", "transformer"},
                      LayoutCase{"transformer_original.gguf", "transformer", "transformer"},
                      LayoutCase{"vace_original.pth", "transformer", "vace"},
                      LayoutCase{"vae_original.pth", "vae", "vae"},
                      LayoutCase{"vae_2.2_original.pth", "vae", "vae_2.2"},
                      LayoutCase{"text_encoder_original.pth", "text_encoder", "text_encoder"},
                      LayoutCase{"text_encoder_llama.gguf", "text_encoder", "text_encoder"},
                      LayoutCase{"image_encoder_original.pth", "image_encoder", "image_encoder"},
                      LayoutCase{"image_encoder_open_clip.pth", "image_encoder", "image_encoder"},
                      LayoutCase{"all_in_one.safetensors", "transformer", "transformer"},
                      LayoutCase{"all_in_one.safetensors", "vae", "vae"},
                      LayoutCase{"all_in_one.safetensors", "text_encoder", "text_encoder"}));

TEST(LayoutsTest, ScaledFp8IsMultipliedOut) {
  const Checkpoint checkpoint = Checkpoint::open(
      {.model = kFixtures / "scaled_fp8.safetensors", .parts = {{"vae", kFixtures / "vae_original.pth"}}});
  static const Component expected = open_tensors(kFixtures / "reference.safetensors");
  size_t count = 0;
  for (const auto& [name, source] : checkpoint.get("transformer").tensors) {
    if (!source.scale) continue;
    EXPECT_TRUE(at::equal(read_tensor(source), read_tensor(expected.get("scaled/" + name)))) << name;
    ++count;
  }
  EXPECT_GT(count, 10u);
}

TEST(LayoutsTest, AScaleOfEachRowAndItsCompanions) {
  const fs::path file = fs::path(::testing::TempDir()) / ("t2v_scale_" + std::to_string(::getpid()));
  const Tensor ones = at::ones({2, 3}).to(at::kFloat8_e4m3fn);
  write_safetensors(file,
                    {{"a.weight", ones},
                     {"a.weight_scale", at::tensor({2.0f, 3.0f}).reshape({2, 1})},
                     {"a.input_scale", at::ones({1})},
                     {"a.comfy_quant", at::zeros({4}, at::kByte)},
                     {"b.weight", at::ones({2, 3}).to(at::kFloat8_e5m2)},
                     {"c.weight", ones},
                     {"c.scale_weight", at::ones({5})}},
                    {});
  Component component = open_tensors(file);
  fs::remove(file);
  join_scales(component);
  EXPECT_EQ(component.tensors.size(), 3u);
  const Tensor a = read_tensor(component.get("a.weight"));
  EXPECT_TRUE(at::equal(a, at::tensor({2.0f, 2.0f, 2.0f, 3.0f, 3.0f, 3.0f}).reshape({2, 3})));
  EXPECT_TRUE(at::equal(read_tensor(component.get("b.weight")).to(at::kFloat), at::ones({2, 3})));
  EXPECT_THAT(input_error([&] { read_tensor(component.get("c.weight")); }),
              HasSubstr("a scale of 5 numbers"));
}

TEST(LayoutsTest, QuantizedBlocksEqualTheGgufPackage) {
  const Component blocks = open_tensors(kFixtures / "blocks.gguf");
  const Component expected = open_tensors(kFixtures / "blocks.safetensors");
  ASSERT_EQ(blocks.tensors.size(), expected.tensors.size());
  for (const auto& [name, source] : expected.tensors) {
    const Tensor read = read_tensor(blocks.get(name)).to(at::kFloat);
    EXPECT_TRUE(at::equal(read, read_tensor(source))) << name;  // bit for bit
  }
}

TEST(LayoutsTest, TorchFilesHoldEveryDtypeAndStride) {
  const Component pickled = open_tensors(kFixtures / "dtypes.pth");
  const Component expected = open_tensors(kFixtures / "dtypes.safetensors");
  ASSERT_EQ(pickled.tensors.size(), expected.tensors.size());
  for (const auto& [name, source] : expected.tensors) {
    const Tensor read = read_tensor(pickled.get(name)), values = read_tensor(source);
    EXPECT_EQ(read.scalar_type(), values.scalar_type()) << name;
    EXPECT_TRUE(at::equal(read.to(at::kDouble), values.to(at::kDouble))) << name;
  }
  EXPECT_EQ(open_tensors(kFixtures / "nested.pth").tensors.size(), 1u);
  EXPECT_EQ(open_tensors(kFixtures / "module.pth").tensors.size(), 2u);
}

TEST(LayoutsTest, AnOriginalRepositoryIsAFolderOfSuchFiles) {
  const fs::path folder = fs::path(::testing::TempDir()) / ("t2v_original_" + std::to_string(::getpid()));
  fs::create_directories(folder / "google/umt5-xxl");
  fs::create_directories(folder / "xlm-roberta-large");
  fs::create_directories(folder / "high_noise_model");
  fs::create_directories(folder / "low_noise_model");
  const auto copy = [&](const std::string& from, const std::string& to) {
    fs::copy_file(kFixtures / from, folder / to);
  };
  for (const std::string expert : {"high_noise_model", "low_noise_model"}) {
    copy("transformer_original.safetensors", expert + "/diffusion_pytorch_model.safetensors");
    std::ofstream(folder / expert / "config.json")
        << R"({"_class_name":"WanModel","dim":16,"num_heads":1,"eps":1e-06})";
  }
  copy("vae_original.pth", "Wan2.1_VAE.pth");
  copy("text_encoder_original.pth", "models_t5_umt5-xxl-enc-bf16.pth");
  std::ofstream(folder / "google/umt5-xxl/spiece.model") << "";
  std::ofstream(folder / "xlm-roberta-large/sentencepiece.bpe.model") << "";
  std::ofstream(folder / "xlm-roberta-large/tokenizer.json") << "";
  const Checkpoint checkpoint = Checkpoint::open({.model = folder});
  expect_equal(checkpoint.get("transformer"), "transformer");
  expect_equal(checkpoint.get("transformer_2"), "transformer");
  EXPECT_THAT(checkpoint.get("transformer_2").origin, HasSubstr("low_noise_model"));
  expect_equal(checkpoint.get("vae"), "vae");
  EXPECT_EQ(checkpoint.get_tokenizer().path, folder / "google/umt5-xxl");
  EXPECT_EQ(checkpoint.pipeline(), "WanImageToVideoPipeline");
  EXPECT_EQ(checkpoint.index.number("boundary_ratio", 0), 0.9);
  EXPECT_EQ(checkpoint.get("transformer").config.integer("num_attention_heads", 0), 1);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace t2v
