#pragma once

#include <functional>
#include <string>
#include <vector>

namespace t2v {

/// How the files of clips are called: text with fields in braces, "{index:04}-{prompt}-{seed}.mp4". A brace
/// itself is written twice.
class NameTemplate {
 public:
  /// Error (kUsage) that begins with `where`, for a text without an extension, a folder, or braces that are
  /// no field.
  NameTemplate(const std::string& text, const std::string& where);

  /// The text that reads as `name` and nothing else.
  static std::string literal(const std::string& name);

  /// Whether the names of two clips can differ.
  bool has_fields() const;

  /// A file name: no `/` or control characters, no leading `.` or `-`, at most 180 bytes, for which the
  /// prompt is cut. `value_of` gives the value of a field, but of {words}, which are those of {prompt}. Error
  /// (kUsage) if it is too long all the same.
  std::string name(const std::function<std::string(const std::string&)>& value_of) const;

 private:
  struct Piece {
    bool field = false;
    std::string text;  ///< as it is, or the name of a field
    size_t width = 0;  ///< of a field: filled up with zeros
  };
  void add_field(const std::string& text);
  std::string expand(const Piece& piece,
                     const std::function<std::string(const std::string&)>& value_of) const;

  std::string where_;
  std::vector<Piece> pieces_;
};

}  // namespace t2v
