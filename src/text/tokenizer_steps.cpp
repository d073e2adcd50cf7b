#include "text/tokenizer_steps.h"

#include <algorithm>

#include <nlohmann/json.hpp>

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

PreTokenizer::PreTokenizer(const Config& config) { add(config); }

void PreTokenizer::add(const Config& config) {
  const std::string type = config.text("type", "");
  if (type == "Sequence") {
    expect_keys(config, {"type", "pretokenizers"});
    for (const Config& step : objects_at(config, "pretokenizers")) add(step);
  } else if (type == "WhitespaceSplit") {
    expect_keys(config, {"type"});
    steps_.emplace_back(WhitespaceSplit{});
  } else if (type == "Metaspace") {
    steps_.emplace_back(read_metaspace(config));
  } else {
    config.fail("type", "Sequence, WhitespaceSplit or Metaspace");
  }
}

PreTokenizer::Metaspace PreTokenizer::read_metaspace(const Config& config) {
  using Prepend = Metaspace::Prepend;
  // Files from before prepend_scheme say add_prefix_space and str_rep instead.
  expect_keys(config, {"type", "replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split"});
  const std::string replacement = config.text("replacement", "");
  if (replacement.empty() || first_code_point(replacement).size != replacement.size()) {
    config.fail("replacement", "one character");
  }
  const bool add_prefix_space = config.boolean("add_prefix_space", true);
  const std::string scheme = config.text("prepend_scheme", add_prefix_space ? "always" : "never");
  if (scheme != "always" && scheme != "first" && scheme != "never") {
    config.fail("prepend_scheme", "always, first or never");
  }
  if (!add_prefix_space && scheme != "never")
    config.fail("prepend_scheme", "never, as add_prefix_space says");
  const Prepend prepend = scheme == "always"  ? Prepend::kAlways
                          : scheme == "first" ? Prepend::kFirst
                                              : Prepend::kNever;
  return {replacement, prepend, config.boolean("split", true)};
}

void PreTokenizer::apply(const WhitespaceSplit&, Segment segment, std::vector<Segment>* out) {
  const std::string_view text = segment.text;
  size_t start = 0;
  for (size_t at = 0; at < text.size();) {
    const CodePoint character = first_code_point(text.substr(at));
    if (is_white_space(character.value)) {
      if (start < at)
        out->push_back({std::string(text.substr(start, at - start)), segment.at_start && start == 0});
      start = at + character.size;
    }
    at += character.size;
  }
  if (start < text.size()) out->push_back({std::string(text.substr(start)), segment.at_start && start == 0});
}

void PreTokenizer::apply(const Metaspace& step, Segment segment, std::vector<Segment>* out) {
  std::string text = replaced_all(segment.text, " ", step.replacement);
  const bool prepend = step.prepend == Metaspace::Prepend::kAlways ||
                       (step.prepend == Metaspace::Prepend::kFirst && segment.at_start);
  if (prepend && !text.starts_with(step.replacement)) text.insert(0, step.replacement);
  if (!step.split) {
    out->push_back({std::move(text), segment.at_start});
    return;
  }
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(step.replacement, start + 1), text.size());
    out->push_back({text.substr(start, end - start), segment.at_start && start == 0});
    start = end;
  }
}

std::vector<Segment> PreTokenizer::operator()(Segment segment) const {
  std::vector<Segment> segments;
  if (!segment.text.empty()) segments.push_back(std::move(segment));
  for (const auto& step : steps_) {
    std::vector<Segment> next;
    for (Segment& part : segments) {
      std::visit([&](const auto& kind) { apply(kind, std::move(part), &next); }, step);
    }
    segments = std::move(next);
  }
  return segments;
}

Config object_at(const Config& config, const std::string& key) {
  if (!config.has(key) || !config.json().at(key).is_object()) config.fail(key, "an object");
  return Config(config.json().at(key), config.origin() + ", " + key);
}

std::vector<Config> objects_at(const Config& config, const std::string& key) {
  if (!config.has(key) || !config.json().at(key).is_array()) config.fail(key, "a list");
  std::vector<Config> list;
  for (const nlohmann::json& item : config.json().at(key)) {
    if (!item.is_object()) config.fail(key, "a list of objects");
    list.emplace_back(item, config.origin() + ", " + key + "[" + std::to_string(list.size()) + "]");
  }
  return list;
}

void expect_keys(const Config& config, const std::vector<std::string>& known) {
  for (const auto& [key, value] : config.json().items()) {
    if (value.is_null() || std::find(known.begin(), known.end(), key) != known.end()) continue;
    config.fail(key, "only keys that t2v knows here");
  }
}

}  // namespace t2v
