#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "cli/flags/given_flags.h"

namespace t2v {

/// The rows of a prompt file. Each row gives flags for one clip or several. Rows are kept as text, because
/// there may be a million.
class BatchRows {
 public:
  /// Reads a .txt, .jsonl or .csv file; "-" (standard input) and files without an extension hold prompts and
  /// JSON objects. Error (kUsage) for a file that cannot be read or has no rows.
  static BatchRows read(const std::filesystem::path& file);
  /// One row without flags: the command line gives all of them.
  static BatchRows single();

  size_t size() const { return rows_.size(); }
  /// Error (kUsage) with the line if the first line of a table does not name flags, or names one twice.
  void expect_header(const std::vector<FlagGroup>& groups) const;
  /// A row as JSON. Error (kUsage) that begins with where() for text that is not UTF-8 or not of the format.
  nlohmann::ordered_json object(size_t row) const;
  /// The flags of a row; the `where` of each begins with where(). Error (kUsage) as object() and
  /// given_from_json(), and for a null whose key is no flag of `groups`.
  std::vector<GivenFlag> given(size_t row, const std::vector<FlagGroup>& groups) const;
  /// "jobs.csv:3"; "" without a file.
  std::string where(size_t row) const;

 private:
  enum class Format { kNone, kText, kJsonLines, kTable, kMixed };
  struct Row {
    size_t begin = 0, end = 0;  ///< in text_
    size_t line = 0;
  };

  static Format format_of(const std::filesystem::path& file);
  void split_lines();
  void split_records();
  std::string_view text_of(size_t row) const;
  nlohmann::ordered_json record(size_t row) const;

  Format format_ = Format::kNone;
  std::string name_, text_;
  std::vector<Row> rows_;
  std::vector<std::string> header_;  ///< of a table
  size_t header_line_ = 0;
};

}  // namespace t2v
