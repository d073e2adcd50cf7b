#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "media/formats.h"

namespace t2v {

/// How a clip is encoded and what it may replace.
struct OutputOptions {
  std::string quality = "good";     ///< one of quality_names()
  std::optional<int64_t> crf = {};  ///< overrides quality, on the scale of the codec; 0 is best
  std::string codec = {};           ///< one of codec_names(); empty: the container's
  std::string pix_fmt = {};         ///< one of pix_fmt_names(); empty: the codec's
  double fps = 0;                   ///< where that is known
  bool overwrite = false;           ///< replace an output that exists
  int64_t frame_count = 0;          ///< how many frames there will be, where that is known
  bool settings_file = true;        ///< a .png sequence gets its settings beside it
  bool folder_is_tried = false;     ///< known to take files: trying it takes long where there are many
};

/// The container that the extension chooses. Matroska for "-" (standard output) and for what is not a file,
/// such as a FIFO or /dev/null. Error (kUsage), about `flag`, for no extension or one that is not known.
Container output_container(const std::filesystem::path& output, const std::string& flag = "--output");

/// Checks what can be checked before rendering. Error (kUsage): extension, what choose_encoding()
/// refuses, an output that exists, is a folder or a terminal, a parent that is not a folder. Error (kOutput):
/// a folder that cannot be written to or has no room.
void check_output(const std::filesystem::path& output, const OutputOptions& options);

/// Checks what can be checked before a regular file is written, which `flag` names. Error (kUsage): it
/// exists, is a folder or something special, its name is too long, its parent is not a folder. Error
/// (kOutput) as check_output.
void check_file(const std::string& flag, const std::filesystem::path& file, bool overwrite,
                bool folder_is_tried = false);

/// True if clips go straight into `output` instead of appearing under its name when whole: "-", a FIFO, a
/// device.
bool is_stream(const std::filesystem::path& output);

/// The names of a PNG sequence. "clip.png" means clip-0001.png, clip-0002.png, ...; a name with a pattern
/// such as %04d is used as it stands; one frame without a pattern is just clip.png.
class SequenceNames {
 public:
  /// Error (kUsage) if the name holds two patterns.
  SequenceNames(const std::filesystem::path& output, int64_t frame_count);

  bool numbered() const { return numbered_; }         ///< false: the one frame has the name as it stands
  std::filesystem::path frame(int64_t number) const;  ///< counted from 1
  std::filesystem::path settings() const;             ///< clip.json

 private:
  std::filesystem::path folder_;
  std::string before_, after_;  // around the number
  size_t digits_ = 4;
  bool numbered_ = true;
};

}  // namespace t2v
