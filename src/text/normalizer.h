#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/config.h"

namespace t2v {

/// The `normalizer` of a tokenizer.json: Sequence, Strip and Replace (of a string, or of the regular
/// expression " {2,}").
class Normalizer {
 public:
  /// Changes nothing.
  Normalizer() = default;
  /// Error (kInput) for a kind or a field that is not supported.
  explicit Normalizer(const Config& config);

  std::string operator()(std::string text) const;

 private:
  struct Strip {
    bool left, right;
  };
  struct Replace {
    std::string pattern;  ///< empty: two or more spaces
    std::string content;
  };
  void add(const Config& config);

  std::vector<std::variant<Strip, Replace>> steps_;
};

}  // namespace t2v
