#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace t2v {

/// A JSON object with typed reads. A missing key, or null, gives the fallback; unknown keys are ignored, as
/// the reference does; a value of the wrong type or out of range is an Error (kInput) that names the file and
/// the key.
class Config {
 public:
  /// Reads a file that must hold one JSON object of at most 16 MiB.
  static Config read(const std::filesystem::path& file);
  /// Parses a text of any length. `origin`: its name in errors.
  static Config parse(const std::string& text, const std::string& origin);
  /// Takes a parsed object. `origin`: its name in errors.
  Config(const nlohmann::json& object, std::string origin);

  bool has(const std::string& key) const;  ///< present and not null
  bool boolean(const std::string& key, bool fallback) const;
  double number(const std::string& key, double fallback) const;
  std::string text(const std::string& key, const std::string& fallback) const;
  /// An integer from `smallest` to `largest`.
  int64_t integer(const std::string& key, int64_t fallback, int64_t smallest = 1,
                  int64_t largest = 1 << 24) const;
  std::vector<int64_t> integers(const std::string& key, const std::vector<int64_t>& fallback) const;
  std::vector<double> numbers(const std::string& key, const std::vector<double>& fallback) const;
  std::vector<bool> booleans(const std::string& key, const std::vector<bool>& fallback) const;

  const nlohmann::json& json() const { return *object_; }
  const std::string& origin() const { return origin_; }
  /// Throws the Error for a wrong value.
  [[noreturn]] void fail(const std::string& key, const std::string& expected) const;

 private:
  std::shared_ptr<const nlohmann::json> object_;
  std::string origin_;
};

}  // namespace t2v
