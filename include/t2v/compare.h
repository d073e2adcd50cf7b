#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "t2v/run.h"

namespace t2v {

/// Distance of the frames that both clips have. Frames are counted from 1.
struct ClipComparison {
  int64_t width = 0, height = 0;       ///< pixels
  int64_t frames_a = 0, frames_b = 0;  ///< number of frames of each clip
  double psnr = 0;                     ///< dB, of RGB, over all frames together; infinite: all are equal
  double worst_psnr = 0;               ///< of the frame with the largest distance
  int64_t worst_frame = 0;
  std::optional<double> ssim;      ///< mean over the frames; empty for frames with a side below 11
  int64_t largest_difference = 0;  ///< levels of 0 to 255
  int64_t largest_frame = 0;       ///< frame of largest_difference; 0: all are equal
  int64_t first_difference = 0;    ///< the first frame that differs, or that one clip lacks; 0: none
};

/// Distance of the tensors of two files with the same names and shapes.
struct TensorComparison {
  int64_t numbers = 0;
  double relative_distance = 0;  ///< |a - b| / |a|, both Euclidean, over all tensors; infinite if |a| is 0
  double snr = 0;                ///< dB: -20 log10(relative_distance); infinite: all are equal
  double largest_difference = 0;
  std::string largest_tensor;  ///< tensor of the largest difference; empty: all are equal
};

/// The result for clips or the result for tensors.
struct Comparison {
  std::optional<ClipComparison> clips;
  std::optional<TensorComparison> tensors;

  /// PSNR of clips, SNR of tensors; infinite: no frame or number differs.
  double decibels() const { return clips ? clips->psnr : tensors->snr; }
};

/// Compares two clips (any that libav decodes, pictures, numbered pictures) or two .safetensors files, such
/// as latents. Memory does not grow with the length of clips. Error (kInput) for unreadable files, frames of
/// different sizes, tensors of different names or shapes, (kNumbers) for NaN or infinite tensors; Stopped.
Comparison compare(const std::filesystem::path& a, const std::filesystem::path& b, const RunControl& control);

}  // namespace t2v
