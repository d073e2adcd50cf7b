#pragma once

#include <filesystem>
#include <memory>

#include "media/output_format.h"
#include "media/video_writer.h"

namespace t2v {

/// One file with a video stream in it, or a stream of Matroska.
std::unique_ptr<VideoWriter> make_movie_writer(const std::filesystem::path& output,
                                               const VideoSettings& settings, Container container);

/// Numbered PNG files, all of them or none, and the settings as JSON beside them.
std::unique_ptr<VideoWriter> make_png_writer(const std::filesystem::path& output,
                                             const VideoSettings& settings);

}  // namespace t2v
