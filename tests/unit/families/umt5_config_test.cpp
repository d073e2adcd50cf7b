#include "families/umt5_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "unit/error_of.h"

namespace t2v {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

TEST(UMT5Config, HasTheReferencesDefaults) {
  const UMT5Config config = UMT5Config::from_config(Config(nlohmann::json::object(), "config.json"));
  EXPECT_EQ(config.vocab_size, 250112);
  EXPECT_EQ(config.d_model, 512);
  EXPECT_EQ(config.d_kv, 64);
  EXPECT_EQ(config.d_ff, 1024);
  EXPECT_EQ(config.num_layers, 8);
  EXPECT_EQ(config.num_heads, 6);
}

TEST(UMT5Config, NamesTheKeyThatIsWrong) {
  const auto error = [](const nlohmann::json& values) {
    return error_of([&] { UMT5Config::from_config(Config(values, "config.json")); });
  };
  EXPECT_THAT(error({{"feed_forward_proj", "relu"}}), HasSubstr("feed_forward_proj"));
  EXPECT_THAT(error({{"feed_forward_proj", "gated-silu"}}), HasSubstr("gated-gelu"));
  EXPECT_THAT(error({{"d_model", -1}}), HasSubstr("d_model"));
  EXPECT_THAT(error({{"num_heads", "six"}}), HasSubstr("num_heads"));
  EXPECT_THAT(error({{"num_layers", 1e30}}), HasSubstr("num_layers"));
  EXPECT_THAT(error({{"relative_attention_num_buckets", 2}}), HasSubstr("relative_attention_num_buckets"));
  EXPECT_THAT(error({{"relative_attention_max_distance", 8}}), HasSubstr("relative_attention_max_distance"));
}

}  // namespace
}  // namespace t2v
