#include "csv_reader.h"

#include <algorithm>

#include "cli/flags/usage_error.h"

namespace t2v {

void CsvReader::refuse(size_t line, const std::string& got, const std::string& expected) const {
  t2v::refuse(name_ + ':' + std::to_string(line), got, expected);
}

std::string CsvReader::read_quoted() {
  const size_t opened = line_;
  std::string field;
  for (++position_;; ++position_) {
    if (at_end()) refuse(opened, "a quote that is not closed", "a second one at the end of the field");
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
    refuse(line_, "text behind a field in quotes", "a comma; a quote within quotes is written twice");
  }
  return field;
}

std::string CsvReader::read_plain() {
  const size_t end = std::min(text_.find_first_of(",\r\n", position_), text_.size());
  const std::string field(text_.substr(position_, end - position_));
  if (field.find('"') != std::string::npos) {
    refuse(line_, "a quote in a field that does not begin with one",
           "the field in quotes, and the quote in it twice");
  }
  position_ = end;
  return field;
}

std::vector<std::string> CsvReader::read() {
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

}  // namespace t2v
