#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace t2v {

/// A .jsonl file of a batch with one object for each clip, whose "output" names the clip.
class BatchRecords {
 public:
  /// Reads the file; a missing file is empty. Of two lines about a clip, the last one counts. Other lines are
  /// left out.
  explicit BatchRecords(const std::filesystem::path& file);

  bool has(const std::string& output) const { return lines_.contains(output); }
  /// The object of a clip; null for none.
  nlohmann::ordered_json find(const std::string& output) const;

  /// Adds or replaces the object of a clip. Objects without "output" are ignored.
  void set(const nlohmann::ordered_json& object);
  void erase(const std::string& output);

  /// Whether the file on the disk has other content than text().
  bool changed() const { return changed_; }
  std::string text() const;

 private:
  std::vector<std::string> order_;  ///< clips, by the first line about each
  std::unordered_map<std::string, std::string> lines_;
  bool changed_ = false;
};

/// An object on one line, without a line break.
std::string record_line(const nlohmann::ordered_json& object);

}  // namespace t2v
