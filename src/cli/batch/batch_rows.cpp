#include "batch_rows.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "cli/flags/text_file.h"
#include "cli/flags/usage_error.h"
#include "core/text.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Reads comma-separated values (RFC 4180), one record per line. Fields with commas, quotes or line breaks
/// stand in quotes.
class CsvReader {
 public:
  /// `text` outlives the reader; errors use `name`, and count lines from `line`.
  CsvReader(std::string_view text, std::string name, size_t line = 1)
      : text_(text), name_(std::move(name)), line_(line) {}

  bool at_end() const { return position_ >= text_.size(); }
  size_t position() const { return position_; }  ///< where the next record begins
  size_t line() const { return line_; }          ///< the line of the next record

  /// Reads the fields of the next record. Error (kUsage) with the line for a quote that is not closed or that
  /// stands in a field without quotes.
  std::vector<std::string> read() {
    std::vector<std::string> fields;
    for (bool more = true; more;) {
      const bool quoted = !at_end() && text_[position_] == '"';
      fields.push_back(quoted ? read_quoted() : read_plain());
      more = !at_end() && text_[position_] == ',';
      if (more) ++position_;
    }
    if (!at_end() && text_[position_] == '\r') ++position_;
    if (!at_end() && text_[position_] == '\n') ++position_;
    ++line_;
    return fields;
  }

 private:
  std::string read_quoted() {
    const size_t opened = line_;
    std::string field;
    for (++position_;; ++position_) {
      if (at_end()) refuse(at(opened), "a quote that is not closed", "a second one at the end of the field");
      const char letter = text_[position_];
      if (letter == '"') {
        if (text_.substr(position_, 2) != "\"\"") break;
        ++position_;
      }
      if (letter == '\n') ++line_;
      field += letter;
    }
    ++position_;
    if (!at_end() && text_.find_first_of(",\r\n", position_) != position_) {
      refuse(at(line_), "text behind a field in quotes", "a comma; a quote within quotes is written twice");
    }
    return field;
  }

  std::string read_plain() {
    const size_t end = std::min(text_.find_first_of(",\r\n", position_), text_.size());
    const std::string field(text_.substr(position_, end - position_));
    if (field.find('"') != std::string::npos) {
      refuse(at(line_), "a quote in a field that does not begin with one",
             "the field in quotes, and the quote in it twice");
    }
    position_ = end;
    return field;
  }

  /// The place of a line, for errors.
  std::string at(size_t line) const { return name_ + ':' + std::to_string(line); }

  std::string_view text_;
  std::string name_;
  size_t position_ = 0, line_;
};

constexpr size_t kLargestFile = size_t{1} << 30;
constexpr std::string_view kBlanks = " \t\r\n\v\f";
/// The key of failed.jsonl that is not a flag.
constexpr const char* kErrorKey = "error";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

Json object_of(std::string_view line, const std::string& where) {
  constexpr const char* kExpected = R"(a JSON object such as {"prompt": "a red ball", "seed": 7})";
  Json object;
  std::set<std::string> keys;
  const auto note_key = [&](int depth, nlohmann::json::parse_event_t event, const Json& parsed) {
    if (depth != 1 || event != Json::parse_event_t::key) return true;
    const std::string key = parsed.get<std::string>();
    if (!keys.insert(key).second) refuse(where + ": " + key, "the key a second time", "it once");
    return true;
  };
  try {
    object = Json::parse(line, note_key);
  } catch (const Json::exception&) {
    refuse(where, "text that is not JSON", kExpected);
  }
  if (!object.is_object()) refuse(where, "JSON that is no object", kExpected);
  return object;
}

bool is_blank(const std::vector<std::string>& fields) {
  return fields.size() == 1 && trimmed(fields[0]).empty();
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
  rows.text_ = read_text_file(file, kLargestFile + 1, doing);
  if (rows.text_.size() > kLargestFile) refuse(doing, "more than 1 GiB", "a list of prompts");
  rows.format_ == Format::kTable ? rows.split_records() : rows.split_lines();
  if (rows.rows_.empty()) {
    const bool table = rows.format_ == Format::kTable;
    refuse(doing, "no prompt", table ? "a first line with names of flags, then a row a clip" : "one a line");
  }
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
    const bool comment = format_ != Format::kJsonLines && words.starts_with('#');
    const size_t first = static_cast<size_t>(words.data() - text.data());
    if (!words.empty() && !comment) rows_.push_back({first, first + words.size(), line + 1});
    begin = end + 1;
  }
}

void BatchRows::split_records() {
  CsvReader reader(text_, name_);
  do {
    header_line_ = reader.line();
    header_ = reader.read();
  } while (is_blank(header_) && !reader.at_end());
  while (!reader.at_end()) {
    Row row{.begin = reader.position(), .end = text_.size(), .line = reader.line()};
    try {
      if (is_blank(reader.read())) continue;
      row.end = reader.position();
    } catch (const Error&) {
      // The next record cannot be found. record() throws this error again.
      rows_.push_back(row);
      break;
    }
    rows_.push_back(row);
  }
}

void BatchRows::expect_header(const std::vector<FlagGroup>& groups) const {
  if (format_ != Format::kTable) return;
  const std::string where = name_ + ':' + std::to_string(header_line_);
  std::map<const Flag*, std::string> columns;
  std::vector<std::string> names;
  for (const std::string& column : header_) {
    const std::string name(trimmed(column));
    if (name.empty() || name == kErrorKey) continue;
    names.push_back(name);
    const Flag* flag = find_flag(groups, "--" + name);
    if (flag == nullptr) continue;
    const auto [earlier, is_new] = columns.emplace(flag, name);
    if (!is_new)
      refuse(where + ": " + name, "the flag a second time", "a column for each", "see " + earlier->second);
  }
  if (columns.empty()) refuse(where, "no header", "a first line with names of flags, such as prompt,seed");
  for (const std::string& name : names) expect_flag(groups, {name, {}, where + ": " + name});
}

std::string_view BatchRows::text_of(size_t row) const {
  return std::string_view(text_).substr(rows_[row].begin, rows_[row].end - rows_[row].begin);
}

std::string BatchRows::where(size_t row) const {
  return format_ == Format::kNone ? "" : name_ + ':' + std::to_string(rows_[row].line);
}

Json BatchRows::record(size_t row) const {
  const std::vector<std::string> fields = CsvReader(text_of(row), name_, rows_[row].line).read();
  if (fields.size() != header_.size()) {
    refuse(where(row), std::to_string(fields.size()) + " fields",
           std::to_string(header_.size()) + ", as in the first line", "put quotes around text with commas");
  }
  Json object = Json::object();
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i].empty()) object[std::string(trimmed(header_[i]))] = fields[i];
  }
  return object;
}

Json BatchRows::object(size_t row) const {
  const std::string_view text = text_of(row);
  if (!is_valid_utf8(text)) refuse(where(row), "bytes that are not UTF-8", "UTF-8 text");
  const bool is_object =
      format_ == Format::kJsonLines || (format_ == Format::kMixed && text.starts_with('{'));
  Json object = format_ == Format::kNone    ? Json::object()
                : format_ == Format::kTable ? record(row)
                : is_object                 ? object_of(text, where(row))
                                            : Json{{"prompt", std::string(text)}};
  object.erase(kErrorKey);
  return object;
}

std::vector<GivenFlag> BatchRows::given(size_t row, const std::vector<FlagGroup>& groups) const {
  const Json object = this->object(row);
  for (const auto& [name, value] : object.items()) {
    if (value.is_null())
      expect_flag(groups, {name, {}, where(row)});  // other keys are checked when they are set
  }
  return given_from_json(object, where(row));
}

}  // namespace t2v
