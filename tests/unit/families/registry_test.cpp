#include "families/registry.h"

#include <gtest/gtest.h>

#include "families/wan/wan_family.h"

namespace t2v {
namespace {

/// As little as a family can be.
class Other : public Family {
 public:
  std::string name() const override { return "Other"; }
  const std::vector<PartKind>& parts() const override {
    static const std::vector<PartKind> parts = {
        {.name = "transformer", .library = "diffusers", .classes = {"OtherTransformer"}, .where = ""},
        {.name = "audio_vae", .library = "diffusers", .classes = {"OtherVae"}, .where = ""}};
    return parts;
  }
  const std::vector<std::string>& pipelines() const override {
    static const std::vector<std::string> classes = {"OtherPipeline"};
    return classes;
  }
  Config derive_config(const std::string&, const PartInfo&, const ConfigHints&) const override {
    return no_config();
  }
  Config read_index(const Config& model_index) const override { return model_index; }
  Config derive_index(const ModelInfo& model) const override { return model.index; }
  Config published_scheduler(const PartInfo&) const override { return no_config(); }
  ModelName model_name(const ModelInfo&) const override { return {"Other", "", ""}; }
  AcceptedConditions conditions(const ModelInfo&) const override { return {"another model", {}}; }
  LatentGeometry geometry(const ModelInfo&) const override { return {4, 1, 1}; }
};

TEST(Registry, ATestAddsAFamily) {
  EXPECT_EQ(find_family_of_pipeline("OtherPipeline"), nullptr);
  EXPECT_FALSE(is_index_key("audio_vae"));
  const Other other;
  const RegisteredFamily registered(other);
  EXPECT_EQ(find_family_of_pipeline("OtherPipeline"), &other);
  EXPECT_EQ(find_family_of_pipeline("WanVACEPipeline"), &wan_family());
  EXPECT_TRUE(is_index_key("audio_vae"));
  EXPECT_EQ(any_model(), "a Wan or Other model");
  EXPECT_EQ(models_for(Condition::kControl), "a VACE model");
  EXPECT_EQ(other.missing(other.parts()[1], {})->name, "audio_vae");
}

}  // namespace
}  // namespace t2v
