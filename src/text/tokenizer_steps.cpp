#include "text/tokenizer_steps.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "text/unicode.h"

namespace t2v {
namespace {

constexpr char kSpaceRun[] = " {2,}";

size_t trailing_space(std::string_view text) {
  size_t size = 0;
  while (size < text.size()) {
    const CodePoint last = last_code_point(text.substr(0, text.size() - size));
    if (!is_white_space(last.value)) break;
    size += last.size;
  }
  return size;
}

size_t leading_space(std::string_view text) {
  size_t size = 0;
  while (size < text.size()) {
    const CodePoint first = first_code_point(text.substr(size));
    if (!is_white_space(first.value)) break;
    size += first.size;
  }
  return size;
}

std::string stripped(std::string_view text, bool left, bool right) {
  if (left) text.remove_prefix(leading_space(text));
  if (right) text.remove_suffix(trailing_space(text));
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

std::vector<std::string_view> contents(const std::vector<AddedToken>& tokens) {
  std::vector<std::string_view> list;
  list.reserve(tokens.size());
  for (const AddedToken& token : tokens) list.push_back(token.content);
  return list;
}

bool touches_word(std::string_view before, std::string_view after) {
  return (!before.empty() && is_word_character(last_code_point(before).value)) ||
         (!after.empty() && is_word_character(first_code_point(after).value));
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

AddedTokens::AddedTokens(std::vector<AddedToken> tokens)
    : tokens_(std::move(tokens)), trie_(contents(tokens_)) {}

void AddedTokens::split(std::string_view text, const Visit& visit) const {
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    size_t length = 0;
    uint32_t index = Trie::kNone;
    trie_.for_each_prefix(text.substr(at), [&](size_t prefix, uint32_t found) {
      length = prefix;
      index = found;
    });
    if (length == 0) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[index];
    size_t start = at;
    size_t end = at + length;
    at = end;
    if (token.single_word && touches_word(text.substr(0, start), text.substr(end))) continue;
    if (token.lstrip) start = std::max(start - trailing_space(text.substr(0, start)), done);
    if (token.rstrip) end += leading_space(text.substr(end));
    if (done < start) visit(text.substr(done, start - done), nullptr);
    visit(text.substr(start, end - start), &token);
    done = end;
  }
  if (done < text.size()) visit(text.substr(done), nullptr);
}

}  // namespace t2v
