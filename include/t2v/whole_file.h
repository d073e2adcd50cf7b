#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace t2v {

class StagedFile;

/// A file of text that is there when it is whole, and until then is not. Made before the work that it tells
/// of, so that a place where it cannot be is told first.
class WholeFile {
 public:
  /// `flag` is what asked for it. One that is there is replaced with `overwrite`, else it is an Error
  /// (kUsage). Error (kOutput).
  WholeFile(const std::string& flag, const std::filesystem::path& file, bool overwrite);
  ~WholeFile();

  /// Once. Error (kOutput).
  void write(const std::string& text);

 private:
  std::unique_ptr<StagedFile> staged_;
  bool overwrite_;
};

}  // namespace t2v
