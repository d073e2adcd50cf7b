#include "files/hub/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "core/file.h"
#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEndpoint = "https://huggingface.co";
constexpr int64_t kTimeoutSeconds = 10;
constexpr int64_t kLongestTimeoutSeconds = 86400;
constexpr int64_t kLongestToken = 4096;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool is_true(const char* name) {
  std::string value = variable(name);
  std::transform(value.begin(), value.end(), value.begin(),
                 [](char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c); });
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

fs::path home() {
  std::string folder = variable("HOME");
  if (folder.empty()) {
    const passwd* entry = ::getpwuid(::geteuid());
    if (entry != nullptr && entry->pw_dir != nullptr) folder = entry->pw_dir;
  }
  return folder.empty() ? "/" : folder;
}

/// The folder that a variable names, "~" being the home; empty if it is not set.
fs::path folder_of(const char* name) {
  const std::string value = variable(name);
  if (value == "~") return home();
  if (value.rfind("~/", 0) == 0) return home() / value.substr(2);
  return value;
}

fs::path hugging_face_home() {
  if (const fs::path folder = folder_of("HF_HOME"); !folder.empty()) return folder;
  const fs::path caches = folder_of("XDG_CACHE_HOME");
  return (caches.empty() ? home() / ".cache" : caches) / "huggingface";
}

std::string stripped(const std::string& text) {
  const char* blanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::string read_token() {
  if (is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return "";
  std::string token;
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
    if (token.empty()) token = stripped(variable(name));
  }
  fs::path file = folder_of("HF_TOKEN_PATH");
  if (file.empty()) file = hugging_face_home() / "token";
  std::error_code ignored;
  if (token.empty() && fs::is_regular_file(file, ignored)) token = stripped(read_file(file, kLongestToken));
  const bool printable = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (!printable || token.size() > kLongestToken) {
    throw Error(ErrorCode::kUsage, {.doing = "HF_TOKEN, or the token in " + file.string(),
                                    .got = "something else (not shown)",
                                    .expected = "one word of printable characters",
                                    .advice = "copy it again from the settings of your account"});
  }
  return token;
}

std::string read_endpoint() {
  std::string endpoint = variable("HF_ENDPOINT");
  while (!endpoint.empty() && endpoint.back() == '/') endpoint.pop_back();
  if (endpoint.empty()) return kEndpoint;
  if (endpoint.rfind("http://", 0) != 0 && endpoint.rfind("https://", 0) != 0) {
    throw Error(
        ErrorCode::kUsage,
        {.doing = "HF_ENDPOINT", .got = '"' + endpoint + '"', .expected = "https://... or http://..."});
  }
  return endpoint;
}

int64_t read_timeout() {
  const std::string text = variable("HF_HUB_DOWNLOAD_TIMEOUT");
  if (text.empty()) return kTimeoutSeconds;
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || seconds < 1 ||
      seconds > kLongestTimeoutSeconds) {
    throw Error(ErrorCode::kUsage,
                {.doing = "HF_HUB_DOWNLOAD_TIMEOUT",
                 .got = '"' + text + '"',
                 .expected = "seconds, a whole number from 1 to " + std::to_string(kLongestTimeoutSeconds)});
  }
  return seconds;
}

}  // namespace

fs::path hub_cache_folder() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (const fs::path folder = folder_of(name); !folder.empty()) return fs::absolute(folder);
  }
  return fs::absolute(hugging_face_home() / "hub");
}

HubEnvironment HubEnvironment::read() {
  return {.cache = hub_cache_folder(),
          .endpoint = read_endpoint(),
          .token = read_token(),
          .offline = is_true("HF_HUB_OFFLINE") || is_true("TRANSFORMERS_OFFLINE"),
          .timeout_seconds = read_timeout()};
}

}  // namespace t2v
