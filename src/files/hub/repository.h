#pragma once

#include <optional>
#include <string>

namespace t2v {

/// A repository of models on the Hugging Face Hub, at a revision.
struct Repository {
  std::string id;                 ///< "org/repo"
  std::string revision = "main";  ///< a branch, a tag or a commit
};

/// Reads "org/repo" or "org/repo@revision"; nothing if `text` is neither.
std::optional<Repository> parse_repository(const std::string& text);

/// True for the full name of a commit: 40 hexadecimal digits, as git writes them.
bool is_commit(const std::string& text);

/// True for what names a blob: the sha256 of its bytes, or the id that git gives them.
bool is_blob_hash(const std::string& text);

/// True if a file of that name in a repository may be made below a folder: relative, no part of it empty, "."
/// or "..", nothing but printable UTF-8 without a backslash.
bool is_safe_path(const std::string& path);

/// `text` with everything but letters, digits and "-._~" written as %XX.
std::string percent_encode(const std::string& text);

}  // namespace t2v
