#include "batch_rows.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "input.h"
#include "t2v/error.h"
#include "t2v/text.h"
#include "table.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLargestFile = size_t{1} << 30;
constexpr std::string_view kBlanks = " \t\r\n\v\f";
/// What failed.jsonl tells about a row beside what it gives.
constexpr const char* kErrorKey = "error";

[[noreturn]] void refuse(const std::string& doing, const std::string& got, const std::string& expected,
                         const std::string& advice = "") {
  throw Error(ErrorCode::kUsage, {.doing = doing, .got = got, .expected = expected, .advice = advice});
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

std::vector<GivenFlag> given_from_line(std::string_view line, const std::string& where,
                                       const std::vector<FlagGroup>& groups) {
  constexpr const char* kExpected = R"(a JSON object such as {"prompt": "a red ball", "seed": 7})";
  nlohmann::ordered_json object;
  std::set<std::string> keys;
  const auto note_key = [&](int depth, nlohmann::json::parse_event_t event,
                            const nlohmann::ordered_json& parsed) {
    if (depth != 1 || event != nlohmann::ordered_json::parse_event_t::key) return true;
    const std::string key = parsed.get<std::string>();
    if (!keys.insert(key).second) refuse(where + ": " + key, "the key a second time", "it once");
    return true;
  };
  try {
    object = nlohmann::ordered_json::parse(line, note_key);
  } catch (const nlohmann::ordered_json::exception&) {
    refuse(where, "text that is not JSON", kExpected);
  }
  if (!object.is_object()) refuse(where, "JSON that is no object", kExpected);
  object.erase(kErrorKey);
  for (const auto& [name, value] : object.items()) {
    if (value.is_null())
      expect_flag(groups, {name, {}, where});  // the others are looked at when they are set
  }
  return given_from_json(object, where);
}

}  // namespace

BatchRows::Format BatchRows::format_of(const fs::path& file) {
  std::string extension = file == "-" ? "" : file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  if (extension.empty()) return Format::kMixed;
  if (extension == ".txt") return Format::kText;
  if (extension == ".jsonl") return Format::kJsonLines;
  if (extension == ".csv") return Format::kTable;
  refuse("--prompts " + file.string(), "the extension " + extension, ".txt, .jsonl, .csv or -");
}

BatchRows BatchRows::read(const fs::path& file) {
  BatchRows rows;
  rows.format_ = format_of(file);
  rows.name_ = file == "-" ? "standard input" : file.string();
  const std::string doing = "prompts from " + rows.name_;
  rows.text_ = read_input(file, kLargestFile + 1, doing);
  if (rows.text_.size() > kLargestFile) refuse(doing, "more than 1 GiB", "a list of prompts");
  rows.format_ == Format::kTable ? rows.split_records() : rows.split_lines();
  if (rows.rows_.empty()) refuse(doing, "no prompt", "one a line");
  return rows;
}

BatchRows BatchRows::single() {
  BatchRows rows;
  rows.rows_.emplace_back();
  return rows;
}

void BatchRows::split_lines() {
  const std::string_view text = text_;
  size_t line = 0;
  for (size_t begin = 0; begin < text.size(); ++line) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view words = trimmed(text.substr(begin, end - begin));
    if (!is_valid_utf8(words)) {
      refuse(name_ + ':' + std::to_string(line + 1), "bytes that are not UTF-8", "UTF-8 text");
    }
    const bool comment = format_ != Format::kJsonLines && words.starts_with('#');
    const size_t first = static_cast<size_t>(words.data() - text.data());
    if (!words.empty() && !comment) rows_.push_back({first, first + words.size(), line + 1});
    begin = end + 1;
  }
}

void BatchRows::split_records() {
  TableReader reader(text_, name_);
  header_ = reader.read();
  while (!reader.at_end()) {
    const Row row{.begin = reader.position(), .line = reader.line()};
    const std::vector<std::string> fields = reader.read();
    if (fields.size() == 1 && trimmed(fields[0]).empty()) continue;
    if (fields.size() != header_.size()) {
      refuse(name_ + ':' + std::to_string(row.line), std::to_string(fields.size()) + " fields",
             std::to_string(header_.size()) + ", as in the first line", "put quotes around text with commas");
    }
    rows_.push_back({row.begin, reader.position(), row.line});
  }
}

std::string_view BatchRows::text_of(size_t row) const {
  return std::string_view(text_).substr(rows_[row].begin, rows_[row].end - rows_[row].begin);
}

std::string BatchRows::where(size_t row) const {
  return format_ == Format::kNone ? "" : name_ + ':' + std::to_string(rows_[row].line);
}

std::vector<GivenFlag> BatchRows::given_from_record(size_t row) const {
  std::vector<GivenFlag> given;
  const std::vector<std::string> fields = TableReader(text_of(row), name_).read();
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string name(trimmed(header_[i]));
    if (!fields[i].empty() && name != kErrorKey)
      given.push_back({name, {fields[i]}, where(row) + ": " + name});
  }
  return given;
}

std::vector<GivenFlag> BatchRows::given(size_t row, const std::vector<FlagGroup>& groups) const {
  const std::string_view text = text_of(row);
  switch (format_) {
    case Format::kNone:
      return {};
    case Format::kTable:
      return given_from_record(row);
    case Format::kText:
      break;
    case Format::kMixed:
      if (!text.starts_with('{')) break;
      [[fallthrough]];
    case Format::kJsonLines:
      return given_from_line(text, where(row), groups);
  }
  return {{"prompt", {std::string(text)}, where(row) + ": prompt"}};
}

}  // namespace t2v
