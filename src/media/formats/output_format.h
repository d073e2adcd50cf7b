#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "media/formats/formats.h"

namespace t2v {

/// How a clip is encoded and what it may replace.
struct OutputOptions {
  std::string quality = "good";     ///< one of quality_names()
  std::optional<int64_t> crf = {};  ///< replaces quality, on the codec's own scale; 0 is best
  std::string codec = {};           ///< one of codec_names(); empty: the container's
  std::string pix_fmt = {};         ///< one of pix_fmt_names(); empty: the codec's
  double fps = 0;                   ///< 0: not known
  bool overwrite = false;           ///< replace an output that exists
  int64_t frame_count = 0;          ///< number of frames; 0: not known
  bool settings_file = true;        ///< a .png sequence gets its settings beside it
  bool folder_is_tried = false;     ///< a file was written there before; a trial takes long among many files
};

/// The container that the extension chooses; Matroska for a stream (is_stream). Error (kUsage), about the
/// setting, for a missing or unknown extension.
Container output_container(const std::filesystem::path& output, const std::string& setting_name = "output");

/// Checks an output before rendering. Error (kUsage): an unknown extension, an encoding that
/// choose_encoding() refuses, an output that exists, is a folder or a terminal, a parent that is not a
/// folder. Error (kOutput): a folder that cannot be written to or has no room.
void check_output(const std::filesystem::path& output, const OutputOptions& options);

/// Checks a regular file before it is written; `setting_name` is the setting that chose it. Error (kUsage):
/// it exists, is a folder or a special file, its name is too long, its parent is not a folder. Error
/// (kOutput) as check_output().
void check_file(const std::string& setting_name, const std::filesystem::path& file, bool overwrite,
                bool folder_is_tried = false);

/// Whether frames go straight into `output`: "-" (standard output), a FIFO or a device. Other outputs appear
/// under their name when they are whole.
bool is_stream(const std::filesystem::path& output);

/// The file names of a PNG sequence. "clip.png" gives clip-0001.png, clip-0002.png, ...; in a name with a
/// pattern such as %04d the number replaces the pattern; a single frame without a pattern is clip.png.
class SequenceNames {
 public:
  /// Error (kUsage) if the name holds two patterns.
  SequenceNames(const std::filesystem::path& output, int64_t frame_count);

  bool numbered() const { return numbered_; }         ///< false: the single frame has the name itself
  std::filesystem::path frame(int64_t number) const;  ///< counted from 1
  std::filesystem::path settings() const;             ///< clip.json

 private:
  std::filesystem::path folder_;
  std::string before_, after_;  // around the number
  size_t digits_ = 4;
  bool numbered_ = true;
};

}  // namespace t2v
