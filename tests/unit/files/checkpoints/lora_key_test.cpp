#include "files/checkpoints/lora_key.h"

#include <string>

#include <gtest/gtest.h>

#include "families/wan/wan_family.h"

namespace t2v {
namespace {

struct Case {
  const char* key;
  const char* module;
  LoraRole role;
  LoraNaming naming;
  bool second_expert = false;
};

const LoraKeyReader& wan_keys() {
  static const LoraKeyReader reader(wan_family());
  return reader;
}

void PrintTo(const Case& c, std::ostream* out) { *out << c.key; }

class LoraKeyTest : public ::testing::TestWithParam<Case> {};

TEST_P(LoraKeyTest, IsUnderstood) {
  const auto key = wan_keys().read(GetParam().key);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->module, GetParam().module);
  EXPECT_EQ(key->role, GetParam().role);
  EXPECT_EQ(key->naming, GetParam().naming);
  EXPECT_EQ(key->second_expert, GetParam().second_expert);
}

constexpr auto kDown = LoraRole::kDown;
constexpr auto kUp = LoraRole::kUp;
constexpr auto kDiffusers = LoraNaming::kDiffusers;
constexpr auto kOriginal = LoraNaming::kOriginal;
constexpr auto kUnderscores = LoraNaming::kUnderscores;

INSTANTIATE_TEST_SUITE_P(
    Diffusers, LoraKeyTest,
    ::testing::Values(
        Case{"transformer.blocks.0.attn1.to_q.lora_A.weight", "blocks.0.attn1.to_q", kDown, kDiffusers},
        Case{"transformer.blocks.39.attn2.to_out.0.lora_B.weight", "blocks.39.attn2.to_out.0", kUp,
             kDiffusers},
        Case{"transformer_2.blocks.1.attn1.to_k.lora_A.weight", "blocks.1.attn1.to_k", kDown, kDiffusers,
             true},
        Case{"transformer.proj_out.lora_B.bias", "proj_out", LoraRole::kUpBias, kDiffusers},
        Case{"blocks.2.ffn.net.0.proj.lora_A.default.weight", "blocks.2.ffn.net.0.proj", kDown, kDiffusers},
        Case{"base_model.model.blocks.2.ffn.net.2.lora_B.my_style.weight", "blocks.2.ffn.net.2", kUp,
             kDiffusers},
        Case{"blocks.0.attn1.to_q_lora.down.weight", "blocks.0.attn1.to_q", kDown, kDiffusers},
        Case{"blocks.0.attn1.to_out_lora.up.weight", "blocks.0.attn1.to_out.0", kUp, kDiffusers},
        Case{"transformer.blocks.0.attn1.to_v.lora.up.weight", "blocks.0.attn1.to_v", kUp, kDiffusers},
        Case{"blocks.0.attn1.to_v.lora_linear_layer.down.weight", "blocks.0.attn1.to_v", kDown, kDiffusers},
        Case{"transformer.blocks.0.attn2.add_k_proj.lora_A.weight", "blocks.0.attn2.add_k_proj", kDown,
             kDiffusers},
        Case{"transformer.condition_embedder.image_embedder.ff.net.0.proj.lora_B.weight",
             "condition_embedder.image_embedder.ff.net.0.proj", kUp, kDiffusers},
        Case{"transformer.vace_blocks.3.proj_out.lora_A.weight", "vace_blocks.3.proj_out", kDown, kDiffusers},
        Case{"lora_transformer_blocks_7_attn1_to_out_0.lora_up.weight", "blocks.7.attn1.to_out.0", kUp,
             kUnderscores}));

INSTANTIATE_TEST_SUITE_P(
    Original, LoraKeyTest,
    ::testing::Values(
        Case{"diffusion_model.blocks.0.self_attn.q.lora_down.weight", "blocks.0.attn1.to_q", kDown,
             kOriginal},
        Case{"diffusion_model.blocks.0.cross_attn.o.lora_B.weight", "blocks.0.attn2.to_out.0", kUp,
             kOriginal},
        Case{"model.diffusion_model.blocks.0.ffn.2.alpha", "blocks.0.ffn.net.2", LoraRole::kAlpha, kOriginal},
        Case{"blocks.0.cross_attn.k_img.lora_A.weight", "blocks.0.attn2.add_k_proj", kDown, kOriginal},
        Case{"pipe.dit.blocks.0.cross_attn.v_img.lora_B", "blocks.0.attn2.add_v_proj", kUp, kOriginal},
        Case{"diffusion_model.blocks.0.self_attn.norm_q.diff", "blocks.0.attn1.norm_q", LoraRole::kWeight,
             kOriginal},
        Case{"diffusion_model.blocks.0.norm3.diff_b", "blocks.0.norm2", LoraRole::kBias, kOriginal},
        Case{"diffusion_model.blocks.0.diff_m", "blocks.0.scale_shift_table", LoraRole::kParameter,
             kOriginal},
        Case{"diffusion_model.blocks.0.modulation.diff", "blocks.0.scale_shift_table", LoraRole::kParameter,
             kOriginal},
        Case{"diffusion_model.head.diff_m", "scale_shift_table", LoraRole::kParameter, kOriginal},
        Case{"diffusion_model.head.head.diff", "proj_out", LoraRole::kWeight, kOriginal},
        Case{"diffusion_model.patch_embedding.lora_down.weight", "patch_embedding", kDown, kOriginal},
        Case{"diffusion_model.time_projection.1.diff_b", "condition_embedder.time_proj", LoraRole::kBias,
             kOriginal},
        Case{"diffusion_model.time_embedding.2.lora_up.weight", "condition_embedder.time_embedder.linear_2",
             kUp, kOriginal},
        Case{"diffusion_model.text_embedding.0.lora_up.weight", "condition_embedder.text_embedder.linear_1",
             kUp, kOriginal},
        Case{"diffusion_model.img_emb.proj.3.lora_down.weight", "condition_embedder.image_embedder.ff.net.2",
             kDown, kOriginal},
        Case{"diffusion_model.vace_blocks.0.before_proj.lora_down.weight", "vace_blocks.0.proj_in", kDown,
             kOriginal},
        Case{"diffusion_model.blocks.0.self_attn.q.dora_scale", "blocks.0.attn1.to_q", LoraRole::kUnsupported,
             kOriginal},
        Case{"diffusion_model.blocks.0.self_attn.q.lokr_w1", "blocks.0.attn1.to_q", LoraRole::kUnsupported,
             kOriginal}));

INSTANTIATE_TEST_SUITE_P(
    Kohya, LoraKeyTest,
    ::testing::Values(
        Case{"lora_unet_blocks_0_self_attn_q.lora_down.weight", "blocks.0.attn1.to_q", kDown, kUnderscores},
        Case{"lora_unet_blocks_12_cross_attn_k_img.lora_up.weight", "blocks.12.attn2.add_k_proj", kUp,
             kUnderscores},
        Case{"lora_unet_blocks_1_ffn_0.alpha", "blocks.1.ffn.net.0.proj", LoraRole::kAlpha, kUnderscores},
        Case{"lora_unet__blocks_1_ffn_2.lora_down.weight", "blocks.1.ffn.net.2", kDown, kUnderscores},
        Case{"lycoris_blocks_1_cross_attn_o.lora_down.weight", "blocks.1.attn2.to_out.0", kDown,
             kUnderscores},
        Case{"lora_unet_head_head.lora_down.weight", "proj_out", kDown, kUnderscores}));

TEST(LoraKeyTest, OthersAreNot) {
  for (const char* key : {"", ".", ".lora_A.weight", "blocks.0.attn1.to_q.weight", "blocks.0.attn1.to_q",
                          "blocks..attn1.to_q.lora_A.weight", "blocks.x.attn1.to_q.lora_A.weight",
                          "blocks.123456789.attn1.to_q.lora_A.weight", "blocks.0.attn3.to_q.lora_A.weight",
                          "blocks.0.attn1.to_q.lora_A.bias", "blocks.0.attn1.to_q.lora_A.a.b.weight",
                          "blocks.0.attn1.to_q.diff_m", "lora_te_text_model_layers_0.lora_down.weight",
                          "transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight",
                          "blocks.0.lora_A.weight", "head.lora_A.weight", "blocks.0.scale_shift_table"}) {
    EXPECT_FALSE(wan_keys().read(key).has_value()) << key;
  }
}

TEST(LoraKeyTest, BlocksOfOtherFamiliesAreNotThoseOfWan) {
  for (const char* key : {"transformer.transformer_blocks.0.attn1.to_q.lora_A.weight",
                          "diffusion_model.transformer_blocks.0.attn1.to_q.lora_A.weight",
                          "transformer_blocks.0.attn1.to_q.lora_A.weight",
                          "lora_unet_transformer_blocks_0_attn1_to_q.lora_down.weight",
                          "lora_transformer_transformer_blocks_0_attn1_to_q.lora_down.weight"}) {
    EXPECT_FALSE(wan_keys().read(key).has_value()) << key;
  }
}

TEST(LoraKeyTest, TellsOtherFamilies) {
  EXPECT_EQ(other_model_of_lora_key("transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight"),
            "HunyuanVideo or Flux");
  EXPECT_EQ(other_model_of_lora_key("lora_unet_down_blocks_0_attentions_0.lora_down.weight"),
            "Stable Diffusion");
  EXPECT_EQ(other_model_of_lora_key("blocks.0.attn9"), "");
}

}  // namespace
}  // namespace t2v
