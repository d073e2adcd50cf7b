#include "tensors/weights/weights.h"

#include "tensors/weights/safetensors_writer.h"
#include "unit/checkpoint_files.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const fs::path kFixtures = fs::path(T2V_FIXTURES) / "weights";

/// A file with two tensors: F32 "<name>.weight" of shape [2] and "<name>.bias" of shape [0].
std::string one_layer(const std::string& name) {
  return safetensors_bytes(R"({")" + name + R"(.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},")" +
                               name + R"(.bias":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}})",
                           8);
}

class WeightsTest : public WeightsFolder {
 protected:
  Weights open(const std::string& folder = "") const {
    return Weights::open_folder(path(folder), "model", {});
  }
  std::string refusal(const std::string& folder = "") const {
    return input_error([&] { open(folder); });
  }
  std::string refusal_of_index(const std::string& index) const {
    write("model.safetensors.index.json", index);
    return refusal();
  }
};

TEST_F(WeightsTest, ReadsEveryDtypeOfTheSafetensorsLibrary) {
  const Weights weights = Weights::open_file(kFixtures / "dtypes.safetensors", {});
  const Tensor expected = at::tensor({0.0, 0.5, 1.0, 1.5, 2.0, 2.5}).reshape({2, 3}).to(at::kFloat);
  for (const char* name : {"f64", "f32", "f16", "bf16", "f8_e4m3", "f8_e5m2"}) {
    EXPECT_TRUE(at::equal(weights.tensor(name, {2, 3}), expected)) << name;  // exact in each
  }
  for (const auto& [name, dtype] : std::map<std::string, at::ScalarType>{{"i64", at::kLong},
                                                                         {"i32", at::kInt},
                                                                         {"i16", at::kShort},
                                                                         {"i8", at::kChar},
                                                                         {"u8", at::kByte},
                                                                         {"bool", at::kBool}}) {
    const Tensor values = weights.tensor(name);
    EXPECT_EQ(values.scalar_type(), dtype);
    EXPECT_TRUE(at::equal(values, expected.to(dtype))) << name;
  }
  EXPECT_EQ(weights.tensor("scalar", {}).item<float>(), 7.0f);
  EXPECT_EQ(weights.tensor("empty", {0, 4}).numel(), 0);
  EXPECT_NO_THROW(weights.expect_all_used());
}

TEST_F(WeightsTest, ConvertsFloatingTensorsAndKeepsTheNamedOnesInFloat32) {
  LoadOptions options{.placement = {.dtype = at::kBFloat16}, .keep_in_fp32 = {"norm1", "scale_shift_table"}};
  write_safetensors(path("a.safetensors"),
                    {{"blocks.0.norm1.weight", at::ones({2}, at::kBFloat16)},
                     {"blocks.0.norm10.weight", at::ones({2})},
                     {"scale_shift_table", at::ones({2})},
                     {"attn.scale_shift_table_2", at::ones({2}, at::kDouble)},
                     {"steps", at::ones({2}, at::kLong)}},
                    {});
  const Weights low = Weights::open_file(path("a.safetensors"), options);
  EXPECT_EQ(low["blocks.0"].tensor("norm1.weight").scalar_type(), at::kFloat);
  EXPECT_EQ(low["blocks.0"].tensor("norm10.weight").scalar_type(), at::kBFloat16);
  EXPECT_EQ(low.tensor("scale_shift_table").scalar_type(), at::kFloat);
  EXPECT_EQ(low["attn"].tensor("scale_shift_table_2").scalar_type(), at::kBFloat16);
  EXPECT_EQ(low.tensor("steps").scalar_type(), at::kLong);
  options.placement.dtype = at::kDouble;
  EXPECT_EQ(Weights::open_file(path("a.safetensors"), options).tensor("scale_shift_table").scalar_type(),
            at::kDouble);
}

TEST_F(WeightsTest, KeepsTheMatricesOfBlocksInFp8) {
  const LoadOptions options{
      .placement = {.dtype = at::kBFloat16}, .keep_in_fp32 = {"time"}, .fp8_matrices = true};
  // The second row is small, the third zero, and 449 beside 448 needs a scale.
  const Tensor matrix = at::tensor({448.F, -7.F, 1e-3F, 2e-3F, 0.F, 0.F}).view({3, 2});
  write_safetensors(path("a.safetensors"),
                    {{"blocks.0.to_q.weight", matrix},
                     {"blocks.0.time.weight", matrix},
                     {"blocks.0.norm.weight", at::ones({2})},
                     {"proj_out.weight", matrix}},
                    {});
  const Weights weights = Weights::open_file(path("a.safetensors"), options);
  const Matrix kept = weights.matrix("blocks.0.to_q.weight", {3, 2});
  EXPECT_EQ(kept.values.scalar_type(), at::kFloat8_e4m3fn);
  EXPECT_EQ(kept.dtype, at::kBFloat16);
  EXPECT_EQ(kept.numbers().scalar_type(), at::kBFloat16);
  // 7 of 448 and 1 of 2 are numbers that e4m3 has; the scale of the second row rounds in bfloat16.
  EXPECT_TRUE(at::allclose(kept.numbers().to(at::kFloat), matrix, 4e-3, 0)) << kept.numbers();
  EXPECT_EQ(weights.matrix("blocks.0.time.weight", {3, 2}).values.scalar_type(), at::kFloat);
  EXPECT_EQ(weights.matrix("proj_out.weight", {3, 2}).values.scalar_type(), at::kBFloat16);
  EXPECT_EQ(weights.tensor("blocks.0.norm.weight").scalar_type(), at::kBFloat16);
  EXPECT_EQ(weights.without_values().matrix("blocks.0.to_q.weight", {3, 2}).values.scalar_type(),
            at::kFloat8_e4m3fn);
  EXPECT_EQ(weights.tensor("blocks.0.to_q.weight").scalar_type(), at::kBFloat16);
  EXPECT_THAT(input_error([&] { weights.matrix("blocks.0.to_q.weight", {2, 3}); }), HasSubstr("[2, 3]"));
}

TEST_F(WeightsTest, WhatIsStoredAsFp8IsUsedUnchanged) {
  const LoadOptions options{.placement = {.dtype = at::kBFloat16}, .keep_in_fp32 = {}, .fp8_matrices = true};
  // Far from filling the range: scaled anew they would be other numbers.
  const Tensor stored = (seeded_randn({4, 8}, 1) / 16).to(at::kFloat8_e4m3fn);
  write_safetensors(path("a.safetensors"),
                    {{"blocks.0.to_q.weight", stored}, {"blocks.0.to_q.scale_weight", at::tensor({0.3F})}},
                    {});
  Component component = open_tensors(path("a.safetensors"));
  const auto scale = component.tensors.extract("blocks.0.to_q.scale_weight");
  component.tensors.at("blocks.0.to_q.weight").scale = std::make_shared<const TensorSource>(scale.mapped());
  const Matrix kept = Weights::open(component, options).matrix("blocks.0.to_q.weight", {4, 8});
  EXPECT_TRUE(at::equal(kept.values.view(at::kByte), stored.view(at::kByte)));
  const LoadOptions plain{.placement = {.dtype = at::kBFloat16}, .keep_in_fp32 = {}};
  const Tensor read = Weights::open(component, plain).tensor("blocks.0.to_q.weight", {4, 8});
  EXPECT_TRUE(at::equal(kept.numbers(), read));
}

TEST_F(WeightsTest, ATensorInTheWantedDtypeIsNotCopied) {
  write_safetensors(path("a.safetensors"), {{"x", at::ones({2})}}, {});
  const Weights weights = Weights::open_file(path("a.safetensors"), {});
  EXPECT_EQ(weights.tensor("x").const_data_ptr(), weights.tensor("x").const_data_ptr());
}

TEST_F(WeightsTest, NamesWhatIsMissingOrMisshaped) {
  write("model.safetensors", one_layer("blocks.0"));
  const Weights block = open()["blocks"]["0"];
  EXPECT_TRUE(block.has("weight"));
  EXPECT_FALSE(block.has("scale"));
  EXPECT_THAT(input_error([&] { block.tensor("scale"); }),
              AllOf(HasSubstr("'blocks.0.scale'"), HasSubstr("config.json")));
  EXPECT_THAT(input_error([&] { block.tensor("scale", {2}); }), HasSubstr("'blocks.0.scale'"));
  EXPECT_THAT(
      input_error([&] {
        block.tensor("weight", {2, 1});
      }),
      AllOf(HasSubstr("'blocks.0.weight'"), HasSubstr("got shape [2]"), HasSubstr("expected [2, 1]")));
}

TEST_F(WeightsTest, NamesWhatNobodyAskedFor) {
  std::string header = "{";
  for (int i = 0; i < 5; ++i) {
    header += (i > 0 ? ",\"a." : "\"a.") + std::to_string(i) +
              R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  const Weights weights = Weights::open_file(write("a.safetensors", safetensors_bytes(header + "}", 0)), {});
  EXPECT_THAT(input_error([&] { weights.expect_all_used(); }), HasSubstr("'a.0', 'a.1', 'a.2' and 2 more"));
  weights.tensor("a.0");
  weights["a"].tensor("1");
  EXPECT_TRUE(weights.has("a.2"));  // is not asking for it
  EXPECT_THAT(input_error([&] { weights["a"].expect_all_used(); }),
              AllOf(HasSubstr("'a.2', 'a.3', 'a.4'"), Not(HasSubstr("more"))));
  EXPECT_NO_THROW(weights["b"].expect_all_used());
  weights["b"].ignore();
  EXPECT_NE(input_error([&] { weights.expect_all_used(); }), "");
  weights["a"].ignore();
  EXPECT_NO_THROW(weights.expect_all_used());
}

TEST_F(WeightsTest, AnotherCopyOfAScopeSharesTheRecord) {
  write("model.safetensors", one_layer("a"));
  const Weights weights = open();
  Weights(weights)["a"].ignore();
  EXPECT_NO_THROW(weights.expect_all_used());
}

TEST_F(WeightsTest, AScopeIsAWholeName) {
  write("model.safetensors", one_layer("block10"));
  open()["block1"].ignore();
  EXPECT_FALSE(open()["block1"].has("weight"));
  const Weights weights = open();
  weights["block1"].ignore();
  EXPECT_NE(input_error([&] { weights.expect_all_used(); }), "");
}

TEST_F(WeightsTest, OpensAShardedFolder) {
  const Weights weights = Weights::open_folder(kFixtures / "sharded", "model", {});
  EXPECT_EQ(weights.files().size(), 2u);
  EXPECT_TRUE(at::equal(weights["blocks"]["0"].tensor("weight", {4}), at::arange(4, at::kFloat)));
  EXPECT_TRUE(at::equal(weights["blocks.1"].tensor("weight", {4}), at::arange(10, 14, at::kFloat)));
  EXPECT_THAT(input_error([&] { weights.expect_all_used(); }), HasSubstr("'blocks.0.bias', 'norm1.weight',"));
}

TEST_F(WeightsTest, OpensACheckpointInTheLayoutOfDiffusers) {
  const fs::path model = fs::path(T2V_FIXTURES) / "tiny-wan";
  const std::string base = "diffusion_pytorch_model";
  EXPECT_TRUE(Weights::open_folder(model / "transformer", base, {})["patch_embedding"].has("weight"));
  EXPECT_TRUE(Weights::open_folder(model / "vae", base, {})["decoder.conv_in"].has("weight"));
  EXPECT_TRUE(Weights::open_folder(model / "text_encoder", "model", {})["shared"].has("weight"));
}

TEST_F(WeightsTest, LooksForTheNamesInTheReferencesOrder) {
  const auto name_opened = [&] { return open().files().at(0).filename().string(); };
  write("model.bf16.safetensors", one_layer("a"));
  EXPECT_EQ(name_opened(), "model.bf16.safetensors");
  write("model.fp16.safetensors", one_layer("a"));
  EXPECT_EQ(name_opened(), "model.fp16.safetensors");
  write("shard", one_layer("a"));
  const std::string index = R"({"weight_map":{"a.weight":"shard","a.bias":"shard"}})";
  write("model.safetensors.index.fp16.json", index);
  EXPECT_EQ(name_opened(), "shard");
  write("model.safetensors", one_layer("a"));
  EXPECT_EQ(name_opened(), "model.safetensors");
  write("model.safetensors.index.json", index);
  EXPECT_EQ(name_opened(), "shard");
}

TEST_F(WeightsTest, FollowsTheLinksOfASnapshot) {
  fs::create_directories(path("blobs"));
  fs::create_directories(path("snapshots/1"));
  write("blobs/0123", one_layer("a"));
  write(
      "blobs/4567",
      R"({"metadata":{"total_size":8},"weight_map":{"a.weight":"m-1.safetensors","a.bias":"m-1.safetensors"}})");
  fs::create_symlink("../../blobs/0123", path("snapshots/1/m-1.safetensors"));
  fs::create_symlink("../../blobs/4567", path("snapshots/1/model.safetensors.index.json"));
  EXPECT_TRUE(open("snapshots/1").has("a.weight"));
  fs::remove(path("blobs/0123"));
  EXPECT_THAT(refusal("snapshots/1"), AllOf(HasSubstr("m-1.safetensors"), HasSubstr("no such file")));
  fs::remove(path("blobs/4567"));
  // Another file of the folder must not be taken instead of the one that the dangling link stands for.
  write("snapshots/1/model.safetensors", one_layer("a"));
  EXPECT_THAT(refusal("snapshots/1"), HasSubstr("index.json"));
}

TEST_F(WeightsTest, SaysWhenAFolderHasNoWeights) {
  EXPECT_THAT(refusal("missing"), HasSubstr("no such folder"));
  write("file", "");
  EXPECT_THAT(refusal("file"), HasSubstr("got a file"));
  EXPECT_THAT(refusal(), HasSubstr("no weights"));
  write("pytorch_model.bin", "\x80\x02");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("pickle"), HasSubstr("pytorch_model.bin"), HasSubstr("convert")));
  fs::create_directory(path("model.safetensors"));
  EXPECT_THAT(refusal(), HasSubstr("a folder"));
}

TEST_F(WeightsTest, ChecksTensorsWithoutReadingThem) {
  write("model.safetensors", one_layer("a"));
  const Weights weights = open();
  const Weights checked = weights.without_values()["a"];
  const std::vector<int64_t> shape = weights.tensor("a.weight").sizes().vec();
  EXPECT_TRUE(checked.tensor("weight", shape).is_meta());
  EXPECT_TRUE(checked.tensor("bias").is_meta());
  EXPECT_EQ(checked.tensor("weight").sizes(), at::IntArrayRef(shape));
  EXPECT_NO_THROW(weights.expect_all_used());
  EXPECT_FALSE(weights.tensor("a.weight").is_meta());
  EXPECT_THROW(checked.tensor("weight", {77}), Error);
  EXPECT_THROW(checked.tensor("scale"), Error);
}

TEST_F(WeightsTest, ARecordHasEveryTensorAndListsIt) {
  TensorList list;
  const LoadOptions options{
      .placement = {.dtype = at::kBFloat16}, .keep_in_fp32 = {"time"}, .fp8_matrices = true};
  const Weights weights = Weights::record(list, options);
  EXPECT_TRUE(weights["a"].tensor("bias", {2}).is_meta());
  EXPECT_EQ(weights["time"].tensor("bias", {2}).scalar_type(), at::kFloat);
  const Matrix matrix = weights.matrix("blocks.0.to_q.weight", {3, 2});
  EXPECT_EQ(matrix.values.scalar_type(), at::kFloat8_e4m3fn);
  EXPECT_EQ(matrix.numbers().scalar_type(), at::kBFloat16);
  EXPECT_EQ(weights.rows("embedding", {9, 4}, at::zeros({3}, at::kLong)).sizes(), at::IntArrayRef({3, 4}));
  weights["last"].not_needed().tensor("weight", {5});
  weights["text"].ignore("ids");
  EXPECT_FALSE(weights.has("a.bias"));

  std::map<std::string, std::vector<int64_t>> shapes;
  for (const auto& [name, entry] : list.tensors) shapes[name] = entry.shape;
  EXPECT_EQ(shapes, (std::map<std::string, std::vector<int64_t>>{{"a.bias", {2}},
                                                                 {"time.bias", {2}},
                                                                 {"blocks.0.to_q.weight", {3, 2}},
                                                                 {"embedding", {9, 4}},
                                                                 {"last.weight", {5}}}));
  EXPECT_TRUE(list.tensors.at("a.bias").needed);
  EXPECT_FALSE(list.tensors.at("last.weight").needed);
  EXPECT_TRUE(list.knows("a.bias"));
  EXPECT_TRUE(list.knows("text.ids.1"));
  EXPECT_FALSE(list.knows("text.other"));
}

TEST_F(WeightsTest, ARecordBesideFilesTellsTheirNames) {
  write("model.safetensors", one_layer("a"));
  TensorList list;
  const Weights weights = Weights::record(list, {}, open_tensors(path("."), "model"));
  EXPECT_TRUE(weights.has("a.weight"));
  EXPECT_FALSE(weights.has("b.weight"));
  EXPECT_NO_THROW(weights.tensor("b.weight", {77}));
}

TEST_F(WeightsTest, LayersThatAreNotNeededMayBeMissing) {
  write("model.safetensors", one_layer("a"));
  const Weights weights = open();
  EXPECT_TRUE(weights["b"].not_needed().tensor("weight", {3}).is_meta());
  weights["a"].not_needed().tensor("weight", {77});
  weights["a"].ignore("b");
  EXPECT_NO_THROW(weights.expect_all_used());
}

TEST_F(WeightsTest, RefusesAPickleUnderAnotherName) {
  write("model.safetensors", "\x80\x02}q\x00.");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("pickle"), HasSubstr("convert")));
}

TEST_F(WeightsTest, RefusesAnIndexThatIsNone) {
  for (const std::string index :
       {"", "x", "[]", "{}", R"({"weight_map":[]})", R"({"weight_map":{}})", R"({"weight_map":{"a":1}})",
        R"({"weight_map":{"a":"shard","a":"shard"}})",
        R"({"weight_map":{"a":"shard"},"weight_map":{"a":"shard"}})", R"({"weight_map":{"a":"shard"})"}) {
    EXPECT_THAT(refusal_of_index(index), HasSubstr("index.json")) << index;
  }
  EXPECT_THAT(refusal_of_index(std::string(1 << 20, '[') + std::string(1 << 20, ']')), HasSubstr("deep"));
  EXPECT_NE(refusal_of_index("{\"weight_map\":{\"\xFF\":\"shard\"}}"), "");
}

TEST_F(WeightsTest, RefusesAnIndexThatLeavesItsFolder) {
  fs::create_directory(path("sub"));
  write("outside", one_layer("a"));
  write("sub/inside", one_layer("a"));
  for (const std::string& shard : {std::string("../outside"), path("outside").string(),
                                   std::string("./inside"), std::string("sub/inside"), std::string("."),
                                   std::string(".."), std::string(""), std::string("inside\\u0000")}) {
    write("sub/model.safetensors.index.json",
          R"({"weight_map":{"a.weight":")" + shard + R"(","a.bias":")" + shard + R"("}})");
    EXPECT_THAT(refusal("sub"), HasSubstr("plain name")) << shard;
  }
}

TEST_F(WeightsTest, RefusesShardsThatDisagreeWithTheIndex) {
  write("one", one_layer("a"));
  write("two", one_layer("b"));
  const auto index = [](const std::string& map) { return R"({"weight_map":{)" + map + "}}"; };
  const std::string a = R"("a.weight":"one","a.bias":"one")", b = R"("b.weight":"two","b.bias":"two")";
  write("model.safetensors.index.json", index(a + "," + b));
  EXPECT_NO_THROW(open());

  EXPECT_THAT(refusal_of_index(index(a + R"(,"c":"three")")),
              AllOf(HasSubstr("three"), HasSubstr("no such file")));
  EXPECT_THAT(refusal_of_index(index(a + R"(,"c":"one")")), HasSubstr("no tensor 'c' in one"));
  EXPECT_THAT(refusal_of_index(index(R"("a.weight":"one")")), HasSubstr("'a.bias'"));
  EXPECT_THAT(refusal_of_index(index(R"("a.weight":"one","a.bias":"two","b.weight":"two","b.bias":"two")")),
              HasSubstr("'a.bias' in two"));
  write("two", one_layer("a"));
  EXPECT_THAT(refusal_of_index(index(a + "," + b)), HasSubstr("'a.bias' again"));
  write("two", one_layer("b").substr(0, 40));
  EXPECT_THAT(refusal_of_index(index(a + "," + b)), HasSubstr("two"));
}

}  // namespace
}  // namespace t2v
