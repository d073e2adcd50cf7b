#include "core/config.h"

#include <cmath>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "t2v/error.h"

namespace t2v {
namespace {

constexpr int64_t kLargestConfig = 16 << 20;
constexpr int kDeepest = 64;

/// A JSON value for an error: short, on one line.
std::string shown(const nlohmann::json& value) {
  constexpr size_t kLongest = 60;
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

/// Puts -Infinity and the like in quotes, so that no reader takes them for numbers. JSON has no such words,
/// but Python writes them: -Infinity is a default of diffusers' DPM++.
std::string with_quoted_infinities(const std::string& text) {
  std::string result;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      result.append(text, i++, 2);
      continue;
    }
    if (text[i] == '"') in_string = !in_string;
    std::string_view word;
    for (const std::string_view candidate : {"-Infinity", "Infinity", "NaN"}) {
      if (!in_string && word.empty() && text.compare(i, candidate.size(), candidate) == 0) word = candidate;
    }
    if (word.empty()) {
      result.append(text, i, 1);
    } else {
      result.append("\"").append(word).append("\"");
      i += word.size() - 1;
    }
  }
  return result;
}

}  // namespace

Config Config::read(const std::filesystem::path& file) {
  return parse(read_file(file, kLargestConfig), file.string());
}

Config Config::parse(const std::string& text, const std::string& origin) {
  // Copying and printing a value are recursive, so a text of a million brackets would overflow the stack.
  const auto limit_depth = [&origin](int depth, nlohmann::json::parse_event_t, const nlohmann::json&) {
    if (depth <= kDeepest) return true;
    throw Error(ErrorCode::kInput, {.doing = "reading " + origin,
                                    .got = "lists or objects more than " + std::to_string(kDeepest) + " deep",
                                    .expected = "a configuration"});
  };
  const nlohmann::json object =
      nlohmann::json::parse(with_quoted_infinities(text), limit_depth, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    throw Error(ErrorCode::kInput, {.doing = "reading " + origin,
                                    .got = object.is_discarded() ? "text that is not JSON" : shown(object),
                                    .expected = "a JSON object",
                                    .advice = "download the file again"});
  }
  return Config(object, origin);
}

Config::Config(const nlohmann::json& object, std::string origin)
    : object_(std::make_shared<const nlohmann::json>(object)), origin_(std::move(origin)) {}

bool Config::has(const std::string& key) const {
  const auto found = object_->find(key);
  return found != object_->end() && !found->is_null();
}

void Config::fail(const std::string& key, const std::string& expected) const {
  throw Error(ErrorCode::kInput, {.doing = "reading " + origin_ + ", key '" + key + "'",
                                  .got = has(key) ? shown(object_->at(key)) : "no value",
                                  .expected = expected});
}

bool Config::boolean(const std::string& key, bool fallback) const {
  if (!has(key)) return fallback;
  if (!object_->at(key).is_boolean()) fail(key, "true or false");
  return object_->at(key).get<bool>();
}

double Config::number(const std::string& key, double fallback) const {
  if (!has(key)) return fallback;
  if (!object_->at(key).is_number()) fail(key, "a number");
  const double value = object_->at(key).get<double>();
  if (!std::isfinite(value)) fail(key, "a finite number");
  return value;
}

std::string Config::text(const std::string& key, const std::string& fallback) const {
  if (!has(key)) return fallback;
  if (!object_->at(key).is_string()) fail(key, "a string");
  return object_->at(key).get<std::string>();
}

int64_t Config::integer(const std::string& key, int64_t fallback, int64_t smallest, int64_t largest) const {
  if (!has(key)) return fallback;
  const nlohmann::json& value = object_->at(key);
  // An unsigned value beyond int64 would wrap to a negative one; nlohmann keeps the two kinds apart.
  const bool representable =
      value.is_number_integer() && (!value.is_number_unsigned() || value.get<uint64_t>() <= INT64_MAX);
  if (!representable || value.get<int64_t>() < smallest || value.get<int64_t>() > largest) {
    fail(key, "an integer from " + std::to_string(smallest) + " to " + std::to_string(largest));
  }
  return value.get<int64_t>();
}

std::vector<int64_t> Config::integers(const std::string& key, const std::vector<int64_t>& fallback) const {
  if (!has(key)) return fallback;
  const nlohmann::json& list = object_->at(key);
  if (!list.is_array()) fail(key, "a list of integers");
  std::vector<int64_t> values;
  for (const nlohmann::json& value : list) {
    if (!value.is_number_integer() || value.get<double>() < 0 || value.get<double>() > (1 << 24)) {
      fail(key, "a list of integers from 0 to 16777216");
    }
    values.push_back(value.get<int64_t>());
  }
  return values;
}

std::vector<double> Config::numbers(const std::string& key, const std::vector<double>& fallback) const {
  if (!has(key)) return fallback;
  const nlohmann::json& list = object_->at(key);
  if (!list.is_array()) fail(key, "a list of numbers");
  std::vector<double> values;
  for (const nlohmann::json& value : list) {
    if (!value.is_number()) fail(key, "a list of numbers");
    values.push_back(value.get<double>());
  }
  return values;
}

std::vector<bool> Config::booleans(const std::string& key, const std::vector<bool>& fallback) const {
  if (!has(key)) return fallback;
  const nlohmann::json& list = object_->at(key);
  if (!list.is_array()) fail(key, "a list of true and false");
  std::vector<bool> values;
  for (const nlohmann::json& value : list) {
    if (!value.is_boolean()) fail(key, "a list of true and false");
    values.push_back(value.get<bool>());
  }
  return values;
}

}  // namespace t2v
