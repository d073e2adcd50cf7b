#include "files/checkpoints/recognise.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "families/wan/wan_family.h"
#include "files/checkpoints/checkpoint.h"
#include "unit/checkpoint_files.h"
#include "unit/other_family.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

const fs::path kParts = fs::path(T2V_FIXTURES) / "checkpoints";

/// Files of a family that t2v itself does not have.
class OtherFamilyTest : public WeightsFolder {
 protected:
  /// A file of one F32 zero for each name.
  fs::path zeros(const std::string& name, const std::vector<std::string>& tensors) const {
    nlohmann::json header = nlohmann::json::object();
    size_t end = 0;
    for (const std::string& tensor : tensors) {
      header[tensor] = {{"dtype", "F32"}, {"shape", {1}}, {"data_offsets", {end, end + 4}}};
      end += 4;
    }
    fs::create_directories(path(name).parent_path());
    return write(name, safetensors_bytes(header.dump(), end));
  }
  void text(const std::string& name, const std::string& content) const {
    fs::create_directories(path(name).parent_path());
    std::ofstream(path(name)) << content;
  }

  const testing::OtherFamily other_;
  const RegisteredFamily registered_{other_};
};

TEST_F(OtherFamilyTest, LooseFilesTellTheFamily) {
  zeros("a.safetensors", {"model.net.0.w", "model.net.1.w"});
  zeros("b.safetensors", {"mel.weight"});
  zeros("c.safetensors", {"embed.weight", "spiece_model"});
  const Checkpoint checkpoint = Checkpoint::open({.model = path("")});
  EXPECT_EQ(checkpoint.family, &other_);
  EXPECT_EQ(checkpoint.pipeline(), "OtherPipeline");
  EXPECT_TRUE(checkpoint.get("transformer").has("layers.1.weight"));
  EXPECT_EQ(checkpoint.get("transformer").config.integer("layers", 0), 2);
  EXPECT_TRUE(checkpoint.has("audio_vae"));
  EXPECT_EQ(checkpoint.get_tokenizer("tokenizer_2").spiece_model.size(), 4u);
  EXPECT_NO_THROW(checkpoint.expect_complete());
}

TEST_F(OtherFamilyTest, ItsPartsAreNamedAlone) {
  const Checkpoint checkpoint =
      Checkpoint::open({.parts = {{"transformer", zeros("a.safetensors", {"net.0.w"})}}});
  EXPECT_EQ(checkpoint.family, &other_);
  EXPECT_THAT(input_error([&] { checkpoint.expect_complete(); }),
              AllOf(HasSubstr("no audio_vae, no text_encoder_2, no tokenizer_2"),
                    HasSubstr("`text_encoder_2`: elsewhere")));
  EXPECT_THAT(input_error([&] {
                Checkpoint::open({.parts = {{"vocoder", path("a.safetensors")}}});
              }),
              HasSubstr("a part of a Other model"));
}

TEST_F(OtherFamilyTest, ADiffusersFolderTellsTheFamily) {
  nlohmann::json index = {{"_class_name", "OtherPipeline"}};
  for (const std::string part : {"transformer", "audio_vae", "text_encoder_2"}) {
    index[part] = {"diffusers", "Other_" + part};
    text("model/" + part + "/config.json", "{}");
    zeros("model/" + part + "/model.safetensors", {"x"});
  }
  text("model/model_index.json", index.dump());
  text("model/scheduler/scheduler_config.json", "{}");
  text("model/tokenizer_2/tokenizer.json", "{}");
  const Checkpoint checkpoint = Checkpoint::open({.model = path("model")});
  EXPECT_EQ(checkpoint.family, &other_);
  EXPECT_TRUE(checkpoint.get("audio_vae").has("x"));
  EXPECT_EQ(checkpoint.get_tokenizer("tokenizer_2").path, path("model/tokenizer_2"));
  text("model/model_index.json", R"({"_class_name": "NoPipeline"})");
  EXPECT_THAT(input_error([&] { Checkpoint::open({.model = path("model")}); }),
              AllOf(HasSubstr("'NoPipeline'"), HasSubstr("OtherPipeline")));
}

TEST_F(OtherFamilyTest, TheTransformerDecidesWhichFamilyIsMeant) {
  const Component other = open_tensors(zeros("a.safetensors", {"net.0.w"}));
  const Component vae = open_tensors(kParts / "vae_original.pth");
  const Component nothing = open_tensors(zeros("b.safetensors", {"x"}));
  EXPECT_EQ(recognise_family({&vae, &other}), &other_);
  EXPECT_EQ(recognise_family({&nothing, &vae}), &wan_family());
  EXPECT_EQ(recognise_family({&nothing}), nullptr);
}

}  // namespace
}  // namespace t2v
