#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "cli/flags/given_flags.h"

namespace t2v {

/// The rows of a prompt file, each a clip or several: what flags they give. Kept as text, because there may
/// be a million.
class BatchRows {
 public:
  /// A .txt, .jsonl or .csv; "-" (standard input) and what has no extension hold prompts and JSON objects.
  /// Error (kUsage) if it cannot be read; for no rows.
  static BatchRows read(const std::filesystem::path& file);
  /// One row that gives nothing: all is on the command line.
  static BatchRows single();

  size_t size() const { return rows_.size(); }
  /// Error (kUsage) with its line for a first line of a table that does not name flags, each once.
  void expect_header(const std::vector<FlagGroup>& groups) const;
  /// What a row gives, as it says it. Error (kUsage) that begins with where(): not UTF-8, not of the format.
  nlohmann::ordered_json object(size_t row) const;
  /// The same for the flags; `where` of each begins with that of the row. Error (kUsage) as object() and
  /// given_from_json(), also for a null whose key no flag of `groups` has.
  std::vector<GivenFlag> given(size_t row, const std::vector<FlagGroup>& groups) const;
  /// "jobs.csv:3"; "" where there is no file.
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
