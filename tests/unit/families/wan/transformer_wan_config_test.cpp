#include "families/wan/transformer_wan_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "unit/error_of.h"

namespace t2v {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

WanTransformer3DConfig config_of(const nlohmann::json& values) {
  return WanTransformer3DConfig::from_config(Config(values, "config.json"));
}

TEST(WanTransformer3DConfig, HasTheReferencesDefaults) {
  const WanTransformer3DConfig config = config_of(nlohmann::json::object());
  EXPECT_THAT(config.patch_size, ::testing::ElementsAre(1, 2, 2));
  EXPECT_EQ(config.dim(), 5120);
  EXPECT_EQ(config.num_layers, 40);
  EXPECT_EQ(config.ffn_dim, 13824);
  EXPECT_EQ(config.text_dim, 4096);
  EXPECT_TRUE(config.cross_attn_norm);
  EXPECT_FALSE(config.image_dim.has_value());
  EXPECT_EQ(config_of({{"in_channels", 48}}).out_channels, 16);
  EXPECT_EQ(config_of({{"in_channels", 48}, {"out_channels", nullptr}}).out_channels, 48);
  EXPECT_NO_THROW(config_of({{"qk_norm", nullptr}, {"image_dim", nullptr}, {"a key of tomorrow", 1}}));
}

TEST(WanTransformer3DConfig, ReadsTheImageBranch) {
  const WanTransformer3DConfig config = config_of(
      {{"in_channels", 36}, {"image_dim", 1280}, {"added_kv_proj_dim", 5120}, {"pos_embed_seq_len", 514}});
  EXPECT_EQ(config.out_channels, 16);
  EXPECT_EQ(config.image_dim, 1280);
  EXPECT_EQ(config.added_kv_proj_dim, 5120);
  EXPECT_EQ(config.pos_embed_seq_len, 514);
}

TEST(WanTransformer3DConfig, NamesTheKeyThatIsWrong) {
  const auto error = [](const nlohmann::json& values) { return error_of([&] { config_of(values); }); };
  EXPECT_THAT(error({{"image_dim", 0}}), HasSubstr("image_dim"));
  EXPECT_THAT(error({{"added_kv_proj_dim", 5120}}), HasSubstr("null where image_dim is"));
  EXPECT_THAT(error({{"image_dim", 1280}, {"added_kv_proj_dim", 1280}}), HasSubstr("5120"));
  EXPECT_THAT(error({{"qk_norm", "layer_norm"}}), HasSubstr("qk_norm"));
  EXPECT_THAT(error({{"patch_size", {2, 2}}}), HasSubstr("patch_size"));
  EXPECT_THAT(error({{"patch_size", {1, 0, 2}}}), HasSubstr("patch_size"));
  EXPECT_THAT(error({{"attention_head_dim", 15}}), HasSubstr("attention_head_dim"));
  EXPECT_THAT(error({{"freq_dim", 3}}), HasSubstr("freq_dim"));
  EXPECT_THAT(error({{"num_layers", -1}}), HasSubstr("num_layers"));
  EXPECT_THAT(error({{"ffn_dim", "many"}}), HasSubstr("ffn_dim"));
}

TEST(WanVACETransformer3DConfig, NamesTheKeyThatIsWrong) {
  const auto error = [](const nlohmann::json& layers) {
    const nlohmann::json values = {{"num_layers", 4}, {"vace_layers", layers}};
    return error_of([&] { WanVACETransformer3DConfig::from_config(Config(values, "config.json")); });
  };
  EXPECT_EQ(error({0, 1, 3}), "");
  for (const nlohmann::json& layers :
       {nlohmann::json::array(), nlohmann::json{1, 2}, nlohmann::json{0, 4}, nlohmann::json{0, 2, 2}}) {
    EXPECT_THAT(error(layers), HasSubstr("vace_layers")) << layers;
  }
}

}  // namespace
}  // namespace t2v
