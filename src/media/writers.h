#pragma once

#include <filesystem>
#include <memory>

#include "media/encoding.h"
#include "media/output_format.h"
#include "media/video_encoder.h"
#include "media/video_writer.h"

namespace t2v {

/// One file with a video stream in it, or a stream of Matroska. `convert` as VideoEncoder has it.
std::unique_ptr<VideoWriter> make_movie_writer(const std::filesystem::path& output,
                                               const VideoSettings& settings, Container container,
                                               const ChosenEncoding& encoding,
                                               VideoEncoder::Convert convert = {});

/// A GIF in the colours that suit all of its frames best.
std::unique_ptr<VideoWriter> make_gif_writer(const std::filesystem::path& output,
                                             const VideoSettings& settings, const ChosenEncoding& encoding);

/// Numbered PNG files, all of them or none, and the settings as JSON beside them.
std::unique_ptr<VideoWriter> make_png_writer(const std::filesystem::path& output,
                                             const VideoSettings& settings);

}  // namespace t2v
