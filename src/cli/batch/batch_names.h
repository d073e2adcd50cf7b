#pragma once

#include <functional>
#include <string>
#include <vector>

namespace t2v {

/// A template for file names: text with fields in braces, "{index:04}-{prompt}-{seed}.mp4". {{ and }} are
/// braces.
class NameTemplate {
 public:
  /// Error (kUsage) that begins with `where`, for a template without an extension, with a folder, or with
  /// braces that are no field.
  NameTemplate(const std::string& text, const std::string& where);

  /// The template that expands to `name`.
  static std::string literal(const std::string& name);

  /// Whether the names of two clips can differ.
  bool has_fields() const;

  /// Expands the template to a file name without `/` and control characters, that does not begin with `.` or
  /// `-`. The prompt is cut so that the name has at most 180 bytes. `value_of` returns the value of a field;
  /// {words} is made from {prompt}. Error (kUsage) for a longer name.
  std::string name(const std::function<std::string(const std::string&)>& value_of) const;

 private:
  struct Piece {
    bool field = false;
    std::string text;  ///< plain text, or the name of a field
    size_t width = 0;  ///< of a field: filled up with zeros
  };
  void add_field(const std::string& text);
  std::string expand(const Piece& piece,
                     const std::function<std::string(const std::string&)>& value_of) const;

  std::string where_;
  std::vector<Piece> pieces_;
};

}  // namespace t2v
