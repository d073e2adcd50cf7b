#include "families/clip_vision_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "unit/error_of.h"

namespace t2v {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

TEST(CLIPVisionConfig, NamesTheKeyThatIsWrong) {
  const auto error = [](const nlohmann::json& values) {
    return error_of([&] { CLIPVisionConfig::from_config(Config(values, "config.json")); });
  };
  EXPECT_EQ(error(nlohmann::json::object()), "");
  EXPECT_THAT(error({{"hidden_act", "relu"}}), HasSubstr("hidden_act"));
  EXPECT_THAT(error({{"num_attention_heads", 5}}), HasSubstr("num_attention_heads"));
  EXPECT_THAT(error({{"patch_size", 225}}), HasSubstr("patch_size"));
  EXPECT_THAT(error({{"num_hidden_layers", 0}}), HasSubstr("num_hidden_layers"));
}

}  // namespace
}  // namespace t2v
