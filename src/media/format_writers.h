#pragma once

#include <filesystem>
#include <memory>

#include "media/clip_writer.h"
#include "media/formats/encoding.h"
#include "media/formats/output_format.h"
#include "media/video_encoder.h"

namespace t2v {

// The writers of the formats. Each one's frames have the size and number of the settings.

/// A video file in a container of libav, or Matroska on a stream. `convert` is as in VideoEncoder.
std::unique_ptr<ClipWriter> make_video_file_writer(const std::filesystem::path& output,
                                                   const ClipSettings& settings, Container container,
                                                   const ChosenEncoding& encoding,
                                                   VideoEncoder::Convert convert = {});

/// A GIF whose palette is chosen from all of its frames.
std::unique_ptr<ClipWriter> make_gif_writer(const std::filesystem::path& output, const ClipSettings& settings,
                                            const ChosenEncoding& encoding);

/// Numbered PNG files and, beside them, the settings as JSON. All of the files appear, or none.
std::unique_ptr<ClipWriter> make_png_sequence_writer(const std::filesystem::path& output,
                                                     const ClipSettings& settings);

}  // namespace t2v
