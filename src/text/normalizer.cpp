#include "text/normalizer.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "text/config_reading.h"
#include "text/unicode.h"

namespace t2v {
namespace {

constexpr char kSpaceRun[] = " {2,}";

std::string stripped(std::string_view text, bool left, bool right) {
  while (left && !text.empty() && is_white_space(first_code_point(text).value)) {
    text.remove_prefix(first_code_point(text).size);
  }
  while (right && !text.empty() && is_white_space(last_code_point(text).value)) {
    text.remove_suffix(last_code_point(text).size);
  }
  return std::string(text);
}

std::string with_space_runs_replaced(std::string_view text, const std::string& content) {
  std::string result;
  while (!text.empty()) {
    const size_t spaces = std::min(text.find_first_not_of(' '), text.size());
    result += spaces >= 2 ? std::string_view(content) : text.substr(0, spaces);
    text.remove_prefix(spaces);
    const size_t others = std::min(text.find(' '), text.size());
    result += text.substr(0, others);
    text.remove_prefix(others);
  }
  return result;
}

}  // namespace

Normalizer::Normalizer(const Config& config) { add(config); }

void Normalizer::add(const Config& config) {
  const std::string type = config.text("type", "");
  if (type == "Sequence") {
    expect_keys(config, {"type", "normalizers"});
    for (const Config& step : objects_at(config, "normalizers")) add(step);
  } else if (type == "Strip") {
    expect_keys(config, {"type", "strip_left", "strip_right"});
    steps_.emplace_back(Strip{config.boolean("strip_left", true), config.boolean("strip_right", true)});
  } else if (type == "Replace") {
    expect_keys(config, {"type", "pattern", "content"});
    const Config pattern = object_at(config, "pattern");
    const std::string text = pattern.text("String", "");
    const std::string expression = pattern.text("Regex", "");
    if (text.empty() && expression != kSpaceRun) {
      config.fail("pattern", "a String, or the Regex \" {2,}\"");
    }
    steps_.emplace_back(Replace{text, config.text("content", "")});
  } else {
    config.fail("type", "Sequence, Strip or Replace");
  }
}

std::string Normalizer::operator()(std::string text) const {
  for (const auto& step : steps_) {
    if (const auto* strip = std::get_if<Strip>(&step)) {
      text = stripped(text, strip->left, strip->right);
    } else {
      const auto& [pattern, content] = std::get<Replace>(step);
      text = pattern.empty() ? with_space_runs_replaced(text, content) : replaced_all(text, pattern, content);
    }
  }
  return text;
}

}  // namespace t2v
