#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace t2v {

// The tables of containers, codecs and qualities. What is written here once is known to every reader: the
// choice of an encoding, the writers, help texts, errors and t2v doctor.

/// The file format of a clip.
enum class Container {
  kMp4,
  kMkv,
  kWebm,
  kMov,
  kGif,
  kPngSequence,  ///< numbered files
};

struct ContainerFormat {
  Container container;
  const char* extension;            ///< of the output, in lower case: ".mp4"
  const char* muxer;                ///< libav's name; "" for a container that is not written by a muxer
  const char* movflags;             ///< option of the muxers for MP4 and QuickTime; "" for other muxers
  std::vector<std::string> codecs;  ///< the codecs that it holds, the default first
};

const std::vector<ContainerFormat>& container_formats();
const ContainerFormat& format_of(Container container);

/// The scale of a codec's crf option, where 0 is best, and its values for the words of the quality setting.
struct CrfScale {
  int64_t largest, draft, good, high;
};

enum class CodecKind { kH264, kH265, kVp9, kProRes, kFfv1, kGif, kPng };

struct Codec {
  CodecKind kind;
  const char* name;                   ///< in requests and settings
  const char* title;                  ///< in texts: "H.264"
  const char* encoder;                ///< libav's name
  std::vector<std::string> pix_fmts;  ///< libav's names of the pixel formats that it takes, the default first
  std::optional<CrfScale> crf = {};
  bool lossless = false;
};

const std::vector<Codec>& codecs();
/// `name` is the name of a codec.
const Codec& codec_named(const std::string& name);
/// The container to suggest for a codec: the container whose default it is, or else the first that holds it.
const ContainerFormat& container_for(const Codec& codec);

/// A word of the quality setting, and its values in each encoder.
struct Quality {
  const char* name;
  int64_t CrfScale::*crf;
  const char* x26x_preset;     ///< how hard x264 and x265 work
  const char* vp9_cpu_used;    ///< the same of libvpx: lower works harder
  const char* prores_profile;  ///< for 4:2:2
};

/// `name` is one of quality_names(); "lossless" has the encoders' values of "good".
const Quality& quality_named(const std::string& name);

/// Extensions of outputs, and the codec of each: ".mp4 (H.264), .mkv, ...".
std::string describe_containers();
/// Extensions of outputs whose frames can be exact: ".mkv or .png".
std::string describe_lossless_containers();
/// The values of `crf` for the first three qualities: "23, 16 and 10 of 51 for H.264; ...".
std::string describe_crf_scales();

}  // namespace t2v
