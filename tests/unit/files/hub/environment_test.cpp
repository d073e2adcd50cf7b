#include "files/hub/environment.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "t2v/error.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kVariables[] = {"HOME",
                                      "XDG_CACHE_HOME",
                                      "HF_HOME",
                                      "HF_HUB_CACHE",
                                      "HUGGINGFACE_HUB_CACHE",
                                      "HF_ENDPOINT",
                                      "HF_TOKEN",
                                      "HUGGING_FACE_HUB_TOKEN",
                                      "HF_TOKEN_PATH",
                                      "HF_HUB_DISABLE_IMPLICIT_TOKEN",
                                      "HF_HUB_OFFLINE",
                                      "TRANSFORMERS_OFFLINE",
                                      "HF_HUB_DOWNLOAD_TIMEOUT"};

/// The variables that the Hub knows, none but HOME set, and as they were after the test.
class HubEnvironmentTest : public ::testing::Test {
 protected:
  HubEnvironmentTest() {
    for (const char* name : kVariables) {
      const char* value = std::getenv(name);
      before_[name] = value != nullptr ? std::optional<std::string>(value) : std::nullopt;
      ::unsetenv(name);
    }
    set("HOME", "/home/me");
  }
  ~HubEnvironmentTest() override {
    for (const auto& [name, value] : before_) {
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
    }
  }
  static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }
  static std::string message() {
    try {
      HubEnvironment::read();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      return error.what();
    }
    return "";
  }

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

TEST_F(HubEnvironmentTest, Defaults) {
  const HubEnvironment environment = HubEnvironment::read();
  EXPECT_EQ(environment.cache, "/home/me/.cache/huggingface/hub");
  EXPECT_EQ(environment.endpoint, "https://huggingface.co");
  EXPECT_EQ(environment.token, "");
  EXPECT_FALSE(environment.offline);
  EXPECT_EQ(environment.timeout_seconds, 10);
}

TEST_F(HubEnvironmentTest, TheCacheInOrderOfPrecedence) {
  set("XDG_CACHE_HOME", "/xdg");
  EXPECT_EQ(HubEnvironment::read().cache, "/xdg/huggingface/hub");
  set("HF_HOME", "~/hf");
  EXPECT_EQ(HubEnvironment::read().cache, "/home/me/hf/hub");
  set("HUGGINGFACE_HUB_CACHE", "/old");
  EXPECT_EQ(HubEnvironment::read().cache, "/old");
  set("HF_HUB_CACHE", "/new");
  EXPECT_EQ(HubEnvironment::read().cache, "/new");
  set("HF_HUB_CACHE", "");
  EXPECT_EQ(HubEnvironment::read().cache, "/old");
}

TEST_F(HubEnvironmentTest, WithoutHome) {
  ::unsetenv("HOME");
  EXPECT_TRUE(HubEnvironment::read().cache.is_absolute());
}

TEST_F(HubEnvironmentTest, Endpoint) {
  set("HF_ENDPOINT", "http://127.0.0.1:8000//");
  EXPECT_EQ(HubEnvironment::read().endpoint, "http://127.0.0.1:8000");
  set("HF_ENDPOINT", "ftp://x");
  EXPECT_THAT(message(), HasSubstr("HF_ENDPOINT"));
}

TEST_F(HubEnvironmentTest, Token) {
  const std::string folder = ::testing::TempDir() + "hub_environment";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/token") << "from-file\n";
  set("HF_HOME", folder);
  EXPECT_EQ(HubEnvironment::read().token, "from-file");
  set("HUGGING_FACE_HUB_TOKEN", "old");
  EXPECT_EQ(HubEnvironment::read().token, "old");
  set("HF_TOKEN", " new\r\n");
  EXPECT_EQ(HubEnvironment::read().token, "new");
  set("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
  EXPECT_EQ(HubEnvironment::read().token, "");
}

TEST_F(HubEnvironmentTest, ATokenThatIsNone) {
  for (const std::string token : {"se cret", "secret\nX: y", "secr\xc3\xa9t", "sec\tret"}) {
    set("HF_TOKEN", token);
    EXPECT_THAT(message(), HasSubstr("HF_TOKEN")) << token;
    EXPECT_THAT(message(), Not(HasSubstr("sec"))) << token;
  }
}

TEST_F(HubEnvironmentTest, Offline) {
  for (const char* value : {"1", "true", "YES", "On"}) {
    set("HF_HUB_OFFLINE", value);
    EXPECT_TRUE(HubEnvironment::read().offline) << value;
  }
  set("HF_HUB_OFFLINE", "0");
  EXPECT_FALSE(HubEnvironment::read().offline);
  set("TRANSFORMERS_OFFLINE", "1");
  EXPECT_TRUE(HubEnvironment::read().offline);
}

TEST_F(HubEnvironmentTest, Timeout) {
  set("HF_HUB_DOWNLOAD_TIMEOUT", "60");
  EXPECT_EQ(HubEnvironment::read().timeout_seconds, 60);
  for (const char* value : {"0", "-1", "x", "1.5", "99999999999999999999", "10s"}) {
    set("HF_HUB_DOWNLOAD_TIMEOUT", value);
    EXPECT_THAT(message(), HasSubstr("HF_HUB_DOWNLOAD_TIMEOUT")) << value;
  }
}

}  // namespace
}  // namespace t2v
