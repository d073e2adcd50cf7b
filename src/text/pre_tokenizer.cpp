#include "text/pre_tokenizer.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "text/config_reading.h"
#include "text/unicode.h"

namespace t2v {

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

}  // namespace t2v
