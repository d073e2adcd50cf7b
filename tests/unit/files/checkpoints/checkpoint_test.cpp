#include "files/checkpoints/checkpoint.h"

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "unit/checkpoint_files.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

const fs::path kTiny = fs::path(T2V_FIXTURES) / "tiny-wan";
const fs::path kParts = fs::path(T2V_FIXTURES) / "checkpoints";

class CheckpointTest : public WeightsFolder {
 protected:
  static std::string refusal(const CheckpointSources& sources) {
    return input_error([&] { Checkpoint::open(sources); });
  }
  /// What is said of a second expert that is missing: the advice, or "needed"; "" if it is not missing.
  static std::string missing_expert(const CheckpointSources& sources) {
    for (const MissingPart& part : Checkpoint::open(sources).missing_parts()) {
      if (part.name == "transformer_2") return part.needed ? "needed" : part.advice;
    }
    return "";
  }
  /// A file of F32 zeros with these names and shapes.
  fs::path zeros(const std::string& name,
                 const std::vector<std::pair<std::string, std::vector<int64_t>>>& tensors) const {
    nlohmann::json header = nlohmann::json::object();
    uint64_t end = 0;
    for (const auto& [tensor, shape] : tensors) {
      uint64_t bytes = 4;
      for (const int64_t size : shape) bytes *= static_cast<uint64_t>(size);
      header[tensor] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {end, end + bytes}}};
      end += bytes;
    }
    return write(name, safetensors_bytes(header.dump(), end));
  }
};

TEST_F(CheckpointTest, OpensADiffusersFolder) {
  const Checkpoint checkpoint = Checkpoint::open({.model = kTiny});
  EXPECT_EQ(checkpoint.pipeline(), "WanPipeline");
  EXPECT_TRUE(checkpoint.get("transformer").has("patch_embedding.weight"));
  EXPECT_EQ(checkpoint.get("vae").config.integer("z_dim", 0), 16);
  EXPECT_EQ(checkpoint.get_tokenizer().path, kTiny / "tokenizer");
  EXPECT_FALSE(checkpoint.has("transformer_2"));
  EXPECT_NO_THROW(checkpoint.expect_complete());
}

TEST_F(CheckpointTest, AFileAloneLacksTheRest) {
  const Checkpoint checkpoint = Checkpoint::open({.model = kParts / "transformer_original.safetensors"});
  EXPECT_EQ(checkpoint.pipeline(), "WanImageToVideoPipeline");
  EXPECT_EQ(checkpoint.scheduler.number("flow_shift", 0), 16);  // of first and last frame
  const Config& config = checkpoint.get("transformer").config;
  EXPECT_EQ(config.integer("num_attention_heads", 0), 1);  // from the metadata of the file
  EXPECT_EQ(config.integer("image_dim", 0), 16);
  EXPECT_EQ(config.integer("pos_embed_seq_len", 0), 4);
  EXPECT_THAT(
      input_error([&] { checkpoint.expect_complete(); }),
      AllOf(HasSubstr("no vae, no text_encoder, no tokenizer, no image_encoder"), HasSubstr("Wan2.1_VAE.pth"),
            HasSubstr("`text_encoder`"), HasSubstr("`tokenizer`"), HasSubstr("`image_encoder`")));
  EXPECT_THAT(input_error([&] { checkpoint.get("vae"); }), HasSubstr("`vae`"));
}

TEST_F(CheckpointTest, PartsAlone) {
  const Checkpoint checkpoint =
      Checkpoint::open({.parts = {{"transformer", kParts / "transformer_original.gguf"},
                                  {"vae", kParts / "all_in_one.safetensors"}}});
  EXPECT_TRUE(checkpoint.has("transformer"));
  EXPECT_EQ(checkpoint.get("vae").config.integer("base_dim", 0), 1);
  EXPECT_FALSE(checkpoint.has("text_encoder"));
}

TEST_F(CheckpointTest, AnAllInOneFileBringsItsTokenizer) {
  const Checkpoint checkpoint =
      Checkpoint::open({.model = kParts / "all_in_one.safetensors",
                        .parts = {{"transformer", kParts / "transformer_original.safetensors"}}});
  EXPECT_EQ(checkpoint.get_tokenizer().spiece_model, "the bytes of a model");
  EXPECT_FALSE(checkpoint.get("text_encoder").has("spiece_model"));
  const Config& vae = checkpoint.get("vae").config;
  EXPECT_EQ(vae.integers("dim_mult", {}), (std::vector<int64_t>{1, 2, 4, 4}));
  EXPECT_EQ(vae.booleans("temperal_downsample", {}), (std::vector<bool>{false, true, true}));
  EXPECT_EQ(vae.integer("num_res_blocks", 0), 2);
  EXPECT_EQ(vae.integer("scale_factor_spatial", 0), 8);
  EXPECT_EQ(vae.integer("scale_factor_temporal", 0), 4);
  EXPECT_EQ(vae.numbers("latents_mean", {}).at(0), -0.7571);
}

TEST_F(CheckpointTest, OverridesReplaceParts) {
  const Checkpoint checkpoint = Checkpoint::open(
      {.model = kTiny, .parts = {{"vae", kParts / "vae_original.pth"}, {"tokenizer", kTiny / "tokenizer"}}});
  EXPECT_THAT(checkpoint.get("vae").origin, HasSubstr("vae_original.pth"));
  EXPECT_THAT(checkpoint.get("transformer").origin, HasSubstr("tiny-wan"));
  EXPECT_EQ(checkpoint.scheduler.text("_class_name", ""), "UniPCMultistepScheduler");
  const Checkpoint folder =
      Checkpoint::open({.model = kTiny, .parts = {{"transformer", kTiny / "transformer"}, {"vae", kTiny}}});
  EXPECT_EQ(folder.get("transformer").config.json(),
            Checkpoint::open({.model = kTiny}).get("transformer").config.json());
}

TEST_F(CheckpointTest, APartThatIsReplacedNeedNotBeThere) {
  fs::copy(kTiny, path("model"), fs::copy_options::recursive);
  fs::remove_all(path("model/vae"));
  EXPECT_THAT(refusal({.model = path("model")}), HasSubstr("vae"));
  EXPECT_TRUE(
      Checkpoint::open({.model = path("model"), .parts = {{"vae", kParts / "vae_original.pth"}}}).has("vae"));
}

TEST_F(CheckpointTest, TheSecondTransformerIsWhatTheFlagNames) {
  const fs::path file = kParts / "transformer_original.safetensors";
  const Checkpoint checkpoint = Checkpoint::open({.parts = {{"transformer", file}, {"transformer_2", file}}});
  EXPECT_TRUE(checkpoint.has("transformer_2"));
  EXPECT_EQ(checkpoint.index.number("boundary_ratio", 0), 0.9);
}

TEST_F(CheckpointTest, SaysWhatAFileIsInstead) {
  EXPECT_THAT(refusal({.model = kTiny, .parts = {{"vae", kParts / "text_encoder_original.pth"}}}),
              AllOf(HasSubstr("a text_encoder"), HasSubstr("expected a vae")));
  EXPECT_THAT(refusal({.model = zeros("x.safetensors", {{"some.weight", {1}}})}), HasSubstr("'some.weight'"));
  EXPECT_THAT(refusal({.model = zeros("x.safetensors",
                                      {{"diffusion_model.blocks.0.self_attn.q.lora_A.weight", {1, 1}}})}),
              AllOf(HasSubstr("a LoRA"), HasSubstr("`lora`")));
  EXPECT_THAT(refusal({.model = path("missing")}), HasSubstr("no such"));
  fs::create_directory(path("empty"));
  EXPECT_THAT(refusal({.model = path("empty")}), HasSubstr("model_index.json"));
  EXPECT_THAT(refusal({.model = kTiny, .parts = {{"tokenizer", path("empty")}}}),
              HasSubstr("without tokenizer.json"));
}

TEST_F(CheckpointTest, TwoOfAKindAreNotGuessedAbout) {
  fs::copy_file(kParts / "vae_original.pth", path("a.pth"));
  fs::copy_file(kParts / "vae_2.2_original.pth", path("b.pth"));
  EXPECT_THAT(refusal({.model = path("")}),
              AllOf(HasSubstr("two of vae"), HasSubstr("a.pth"), HasSubstr("b.pth")));
}

TEST_F(CheckpointTest, EveryPartThatIsThereTwiceIsNamedAtOnce) {
  for (const char* name : {"a.pth", "b.pth", "c.pth"}) fs::copy_file(kParts / "vae_original.pth", path(name));
  for (const char* name : {"d.pth", "e.pth"}) fs::copy_file(kParts / "text_encoder_original.pth", path(name));
  EXPECT_THAT(refusal({.model = path("")}),
              AllOf(HasSubstr("three of vae"), HasSubstr("b.pth and"), HasSubstr("two of text_encoder"),
                    HasSubstr("e.pth"), HasSubstr("`vae`"), HasSubstr("`text_encoder`")));
  EXPECT_TRUE(Checkpoint::open(
                  {.model = path(""), .parts = {{"vae", path("a.pth")}, {"text_encoder", path("d.pth")}}})
                  .has("vae"));
}

TEST_F(CheckpointTest, TheTransformerTellsWhichPartIsMeant) {
  fs::copy_file(kParts / "transformer_original.safetensors", path("transformer.safetensors"));
  fs::copy_file(kParts / "vae_original.pth", path("a.pth"));
  fs::copy_file(kParts / "vae_2.2_original.pth", path("b.pth"));
  EXPECT_THAT(Checkpoint::open({.model = path("")}).get("vae").origin, HasSubstr("a.pth"));
  CheckpointSources sources{.model = path("")};
  sources.parts["transformer"] = fs::path(T2V_FIXTURES) / "tiny-kinds/2.2-ti2v/transformer";
  EXPECT_THAT(refusal(sources), HasSubstr("two of vae"));  // of other channels, both of them
  EXPECT_THAT(Checkpoint::open({.model = kTiny, .parts = {{"vae", path("")}}}).get("vae").origin,
              HasSubstr("a.pth"));
}

TEST_F(CheckpointTest, PartsOfOtherFamiliesAreNotOfTheModel) {
  fs::copy_file(kParts / "transformer_original.safetensors", path("transformer.safetensors"));
  fs::copy_file(kParts / "vae_original.pth", path("a.pth"));
  // The image encoder of another model: the transformer asks for 16.
  const std::string embeddings = "vision_model.embeddings.";
  zeros("clip_vision_l.safetensors", {{embeddings + "class_embedding", {8}},
                                      {embeddings + "patch_embedding.weight", {8, 3, 2, 2}},
                                      {embeddings + "position_embedding.weight", {5, 8}},
                                      {"vision_model.encoder.layers.0.mlp.fc1.weight", {16, 8}}});
  // T5 instead of UMT5: only the first block tells positions apart.
  std::vector<std::pair<std::string, std::vector<int64_t>>> t5 = {
      {"shared.weight", {8, 4}},
      {"encoder.final_layer_norm.weight", {4}},
      {"encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", {32, 2}}};
  for (int i = 0; i < 4; ++i) {
    const std::string layer = "encoder.block." + std::to_string(i) + ".layer.";
    for (const char* name : {"q", "k", "v", "o"})
      t5.push_back({layer + "0.SelfAttention." + name + ".weight", {4, 4}});
    t5.push_back({layer + "1.DenseReluDense.wo.weight", {4, 8}});
    for (const char* name : {"0.layer_norm.weight", "1.layer_norm.weight"}) t5.push_back({layer + name, {4}});
  }
  zeros("t5.safetensors", t5);
  const Checkpoint checkpoint = Checkpoint::open({.model = path("")});
  EXPECT_TRUE(checkpoint.has("transformer"));
  EXPECT_TRUE(checkpoint.has("vae"));
  EXPECT_FALSE(checkpoint.has("image_encoder"));
  EXPECT_FALSE(checkpoint.has("text_encoder"));
  // Named, it is meant.
  EXPECT_THAT(refusal({.model = kTiny, .parts = {{"image_encoder", path("clip_vision_l.safetensors")}}}),
              HasSubstr("num_attention_heads"));
}

TEST_F(CheckpointTest, GatesOfASparseAttentionAreLeftOut) {
  fs::copy(kTiny, path("model"), fs::copy_options::recursive);
  zeros("gates.safetensors",
        {{"blocks.0.to_gate_compress.weight", {4, 4}}, {"blocks.0.to_gate_compress.bias", {4}}});
  Checkpoint checkpoint = Checkpoint::open({.model = path("model")});
  const size_t usual = checkpoint.get("transformer").tensors.size();
  nlohmann::json index = {{"weight_map", nlohmann::json::object()}};
  for (const auto& [name, source] : checkpoint.get("transformer").tensors)
    index["weight_map"][name] = source.file->path().filename().string();
  for (const char* name : {"weight", "bias"})
    index["weight_map"][std::string("blocks.0.to_gate_compress.") + name] = "gates.safetensors";
  fs::rename(path("gates.safetensors"), path("model/transformer/gates.safetensors"));
  std::ofstream(path("model/transformer/diffusion_pytorch_model.safetensors.index.json")) << index;
  checkpoint = Checkpoint::open({.model = path("model")});
  EXPECT_EQ(checkpoint.get("transformer").files.size(), 3u);
  EXPECT_EQ(checkpoint.get("transformer").tensors.size(), usual);
}

TEST_F(CheckpointTest, AFileOfSomethingElseIsPassedOver) {
  fs::copy_file(kParts / "vae_original.pth", path("a.pth"));
  std::ofstream(path("upscaler.pth")) << "\x80\x02}q\x01.";
  std::ofstream(path("notes.ckpt")) << "not tensors";
  EXPECT_TRUE(Checkpoint::open({.model = path("")}).has("vae"));
}

TEST_F(CheckpointTest, OneComponentsFolderInAFolder) {
  fs::create_directory(path("out"));
  fs::copy(kTiny / "transformer", path("out/transformer"));
  EXPECT_TRUE(Checkpoint::open({.model = path("out")}).has("transformer"));
  fs::copy(kTiny / "vae", path("out/vae"));
  EXPECT_THAT(refusal({.model = path("out")}), HasSubstr("model_index.json"));
}

TEST_F(CheckpointTest, MixedPartsAreToldByName) {
  EXPECT_THAT(refusal({.model = kTiny, .parts = {{"vae", kParts / "vae_2.2_original.pth"}}}),
              AllOf(HasSubstr("out_channels"), HasSubstr("16 channels (as Wan2.1"),
                    HasSubstr("48 channels (as Wan2.2 TI2V-5B")));
  EXPECT_THAT(refusal({.model = kTiny, .parts = {{"text_encoder", kParts / "text_encoder_original.pth"}}}),
              AllOf(HasSubstr("d_model"), HasSubstr("16"), HasSubstr("text_dim")));
  EXPECT_THAT(refusal({.parts = {{"transformer", kParts / "transformer_original.gguf"},
                                 {"transformer_2", kTiny / "transformer"}}}),
              AllOf(HasSubstr("tiny-wan"), HasSubstr("the other expert")));
}

TEST_F(CheckpointTest, ExpertsThatAreNamedTheOtherWayRound) {
  const fs::path transformer = fs::path(T2V_FIXTURES) / "tiny-wan/transformer";
  for (const char* name : {"wan2.2_t2v_low_noise_14B", "wan2.2_t2v_HighNoise_14B"})
    fs::copy(transformer, path(name));
  const fs::path low = path("wan2.2_t2v_low_noise_14B"), high = path("wan2.2_t2v_HighNoise_14B");
  EXPECT_THAT(refusal({.model = kTiny, .parts = {{"transformer", low}, {"transformer_2", high}}}),
              AllOf(HasSubstr("low_noise"), HasSubstr("swap")));
  EXPECT_TRUE(Checkpoint::open({.model = kTiny, .parts = {{"transformer", high}, {"transformer_2", low}}})
                  .has("transformer_2"));
  EXPECT_FALSE(Checkpoint::open({.model = kTiny, .parts = {{"transformer", low}}}).has("transformer_2"));
  EXPECT_THAT(refusal({.model = kTiny, .parts = {{"transformer", high}, {"transformer_2", high}}}),
              HasSubstr("other flag"));
  const Checkpoint half = Checkpoint::open({.model = kTiny, .parts = {{"transformer", high}}});
  EXPECT_THAT(input_error([&] { half.expect_complete(); }), HasSubstr("no transformer_2"));
}

TEST_F(CheckpointTest, AnExpertAloneIsSaidToBeOne) {
  const fs::path expert = fs::path(T2V_FIXTURES) / "tiny-wan/transformer";
  const auto lone_expert = [&](const char* name) {
    fs::copy(expert, path(name));
    return missing_expert({.model = kTiny, .parts = {{"transformer", path(name)}}});
  };
  EXPECT_THAT(lone_expert("wan2.2_t2v_low_noise"), HasSubstr("low-noise expert"));
  EXPECT_EQ(lone_expert("wan2.2_t2v_high_noise"), "needed");
  EXPECT_EQ(lone_expert("wan2.1_t2v"), "");
  // One of I2V-A14B tells it itself.
  const fs::path kinds = fs::path(T2V_FIXTURES) / "tiny-kinds";
  fs::copy(kinds / "2.2-i2v/transformer", path("model"));
  EXPECT_THAT(missing_expert({.parts = {{"transformer", path("model")}, {"vae", kTiny / "vae"}}}),
              HasSubstr("Wan2.2 I2V-A14B"));
  EXPECT_EQ(missing_expert({.model = kinds / "2.1-i2v"}), "");
}

TEST_F(CheckpointTest, ExpertsAsFilesOfOneFolder) {
  for (const char* name : {"wan2.2_high_noise_14B.safetensors", "wan2.2_low_noise_14B.safetensors"})
    fs::copy_file(kParts / "transformer_original.safetensors", path(name));
  const Checkpoint both = Checkpoint::open({.model = path("")});
  EXPECT_THAT(both.get("transformer").origin, HasSubstr("high_noise"));
  EXPECT_THAT(both.get("transformer_2").origin, HasSubstr("low_noise"));
  // Alone it may be all that somebody wants to use.
  EXPECT_TRUE(Checkpoint::open({.model = path("wan2.2_low_noise_14B.safetensors")}).has("transformer"));
}

TEST_F(CheckpointTest, ATokenizerOfAWholeModel) {
  EXPECT_EQ(Checkpoint::open({.model = kTiny, .parts = {{"tokenizer", kTiny}}}).get_tokenizer().path,
            kTiny / "tokenizer");
}

TEST_F(CheckpointTest, AHeadSizeThatNothingTells) {
  fs::copy_file(kParts / "vace_original.pth", path("a.pth"));
  EXPECT_THAT(refusal({.model = path("a.pth")}),
              AllOf(HasSubstr("attention_head_dim"), HasSubstr("config.json")));
  write("config.json", R"({"_class_name":"AutoencoderKLWan","attention_head_dim":16})");
  EXPECT_THAT(refusal({.model = path("a.pth")}),
              HasSubstr("attention_head_dim"));  // that of another component
  write("config.json", R"({"_class_name":"WanModel","num_heads":2})");
  const Checkpoint checkpoint = Checkpoint::open({.model = path("a.pth")});
  EXPECT_EQ(checkpoint.pipeline(), "WanVACEPipeline");
  EXPECT_EQ(checkpoint.get("transformer").config.integer("attention_head_dim", 0), 8);
  EXPECT_EQ(checkpoint.get("transformer").config.integers("vace_layers", {}), (std::vector<int64_t>{0, 1}));
}

TEST_F(CheckpointTest, AShardOfAFileBringsTheOthers) {
  const std::string layer = "encoder.block.0.layer.";
  zeros("m-00001-of-00002.safetensors",
        {{"shared.weight", {8, 4}}, {layer + "0.SelfAttention.q.weight", {4, 4}}});
  zeros("m-00002-of-00002.safetensors", {{layer + "0.SelfAttention.relative_attention_bias.weight", {32, 2}},
                                         {layer + "1.DenseReluDense.wo.weight", {4, 8}}});
  const Checkpoint checkpoint =
      Checkpoint::open({.parts = {{"text_encoder", path("m-00002-of-00002.safetensors")}}});
  EXPECT_EQ(checkpoint.get("text_encoder").files.size(), 2u);
  EXPECT_EQ(checkpoint.get("text_encoder").config.integer("d_kv", 0), 2);
  fs::remove(path("m-00001-of-00002.safetensors"));
  EXPECT_THAT(refusal({.parts = {{"text_encoder", path("m-00002-of-00002.safetensors")}}}),
              HasSubstr("m-00001-of-00002"));
}

TEST_F(CheckpointTest, ATransformersFileBringsWhatNoTensorTells) {
  const auto with_metadata = [&](const std::string& scheduler) {
    std::string bytes = read_file(kParts / "transformer_original.safetensors", 1 << 20);
    const size_t length = static_cast<uint8_t>(bytes[0]) + 256 * static_cast<uint8_t>(bytes[1]);
    nlohmann::json header = nlohmann::json::parse(bytes.substr(8, length));
    header["__metadata__"]["scheduler_config"] = scheduler;
    header["__metadata__"]["boundary_ratio"] = "0.8125";
    const std::string text = header.dump();
    return write("a.safetensors", length_bytes(text.size()) + text + bytes.substr(8 + length));
  };
  const fs::path file = with_metadata(R"({"_class_name":"UniPCMultistepScheduler","flow_shift":7.125})");
  const Checkpoint checkpoint = Checkpoint::open({.parts = {{"transformer", file}, {"transformer_2", file}}});
  EXPECT_EQ(checkpoint.scheduler.number("flow_shift", 0), 7.125);
  EXPECT_EQ(checkpoint.index.number("boundary_ratio", 0), 0.8125);
  EXPECT_THAT(refusal({.parts = {{"transformer", with_metadata("[1]")}}}), HasSubstr("scheduler_config"));
  EXPECT_THAT(refusal({.parts = {{"transformer", with_metadata("{")}}}), HasSubstr("metadata"));
}

TEST_F(CheckpointTest, PartsThatSeveralModelsShare) {
  const auto family = [](const CheckpointSources& sources) {
    const Checkpoint checkpoint = Checkpoint::open(sources);
    return checkpoint.family->model_name(checkpoint.info()).series;
  };
  const auto family_of_part = [&](const std::string& name, const fs::path& path) {
    return family({.parts = {{name, path}}});
  };
  EXPECT_EQ(family_of_part("text_encoder", kTiny / "text_encoder"), "Wan2.1 and Wan2.2");
  EXPECT_EQ(family_of_part("vae", kTiny / "vae"), "Wan2.1 and Wan2.2");
  EXPECT_EQ(family_of_part("vae", kParts / "vae_2.2_original.pth"), "Wan2.2");
  const fs::path image_encoder = fs::path(T2V_FIXTURES) / "tiny-kinds/2.1-i2v/image_encoder";
  EXPECT_EQ(family_of_part("image_encoder", image_encoder), "Wan2.1");
  EXPECT_EQ(family({.model = kTiny}), "Wan2.1");
}

}  // namespace
}  // namespace t2v
