#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace t2v {

/// A .jsonl of the folder of a batch, with one object a clip: "output" says which.
class BatchRecords {
 public:
  /// Of two lines about a clip the last holds; what is no such line is left out. Empty without the file.
  explicit BatchRecords(const std::filesystem::path& file);

  bool has(const std::string& output) const { return lines_.contains(output); }
  /// What it says about a clip; null for nothing.
  nlohmann::ordered_json find(const std::string& output) const;

  /// Nothing happens for what is no such object.
  void set(const nlohmann::ordered_json& object);
  void erase(const std::string& output);

  /// Whether the file has to be replaced to hold this.
  bool changed() const { return changed_; }
  std::string text() const;

 private:
  std::vector<std::string> order_;  ///< by the first line about each; of those that are still there
  std::unordered_map<std::string, std::string> lines_;
  bool changed_ = false;
};

/// An object as a line, without its end.
std::string record_line(const nlohmann::ordered_json& object);

}  // namespace t2v
