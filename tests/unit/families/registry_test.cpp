#include "families/registry.h"

#include <gtest/gtest.h>

#include "families/wan/wan_family.h"
#include "unit/other_family.h"

namespace t2v {
namespace {

TEST(Registry, ATestAddsAFamily) {
  EXPECT_EQ(find_family_of_pipeline("OtherPipeline"), nullptr);
  EXPECT_FALSE(is_index_key("audio_vae"));
  const testing::OtherFamily other;
  const RegisteredFamily registered(other);
  EXPECT_EQ(find_family_of_pipeline("OtherPipeline"), &other);
  EXPECT_EQ(find_family_of_pipeline("WanVACEPipeline"), &wan_family());
  EXPECT_TRUE(is_index_key("audio_vae"));
  EXPECT_EQ(any_model(), "a Wan or Other model");
  EXPECT_EQ(
      any_part(),
      "a transformer, VAE, text encoder or image encoder of a Wan model, or a transformer, audio vae or text "
      "encoder 2 of a Other model");
  EXPECT_TRUE(is_tokenizer("tokenizer_2"));
  EXPECT_TRUE(encodes_text("text_encoder_2"));
  EXPECT_FALSE(encodes_text("audio_vae"));
  EXPECT_EQ(models_for(Condition::kControl), "a VACE model");
  EXPECT_EQ(other.missing(other.parts()[1], {})->name, "audio_vae");
}

TEST(Registry, AFamilyTellsTheRolesOfItsParts) {
  EXPECT_EQ(denoiser_of(wan_family()).name, "transformer");
  EXPECT_EQ(second_denoiser_of(wan_family())->name, "transformer_2");
  EXPECT_EQ(vae_of(wan_family()).name, "vae");
  const testing::OtherFamily other;
  EXPECT_EQ(second_denoiser_of(other), nullptr);
  EXPECT_EQ(vae_of(other).name, "audio_vae");
}

}  // namespace
}  // namespace t2v
