#include "engine/clips/compare_files.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "files/checkpoints/component.h"
#include "media/clip_reader.h"
#include "media/images/frame_difference.h"
#include "tensors/tensor.h"
#include "tensors/weights/read_tensor.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// The two files of a comparison, and its errors.
struct Pair {
  const fs::path &a, &b;

  [[noreturn]] void refuse(const std::string& got, const std::string& expected,
                           const std::string& advice = "") const {
    throw Error(ErrorCode::kInput, {.doing = "comparing " + a.string() + " with " + b.string(),
                                    .got = got,
                                    .expected = expected,
                                    .advice = advice});
  }
};

void stop_if_asked(const RunControl& control) {
  if (control.stop != nullptr && *control.stop) throw Stopped{};
}

double to_psnr(double squared_error) {
  return squared_error > 0 ? 10 * std::log10(255.0 * 255.0 / squared_error)
                           : std::numeric_limits<double>::infinity();
}

std::string size_of(const Frames& frame) {
  return std::to_string(frame.width) + "x" + std::to_string(frame.height);
}

/// Sums over the frames that both clips have.
class ClipSums {
 public:
  void add(const Frames& a, const Frames& b) {
    const FrameDifference difference = frame_difference(a, b);
    ++count_;
    squared_error_ += difference.squared_error;
    windows_ = windows_ && difference.ssim.has_value();
    ssim_ += difference.ssim.value_or(0);
    if (difference.squared_error > worst_) {
      worst_ = difference.squared_error;
      result_.worst_frame = count_;
    }
    if (difference.largest > result_.largest_difference) {
      result_.largest_difference = difference.largest;
      result_.largest_frame = count_;
    }
    if (difference.largest > 0 && result_.first_difference == 0) result_.first_difference = count_;
    result_.width = a.width;
    result_.height = a.height;
  }

  /// The result, for clips with these numbers of frames.
  ClipComparison result(int64_t frames_a, int64_t frames_b) const {
    ClipComparison result = result_;
    result.frames_a = frames_a;
    result.frames_b = frames_b;
    result.psnr = to_psnr(squared_error_ / static_cast<double>(count_));
    result.worst_psnr = to_psnr(worst_);
    if (windows_) result.ssim = ssim_ / static_cast<double>(count_);
    if (frames_a != frames_b && result.first_difference == 0) result.first_difference = count_ + 1;
    return result;
  }

  int64_t count() const { return count_; }

 private:
  ClipComparison result_;
  int64_t count_ = 0;
  double squared_error_ = 0, worst_ = -1, ssim_ = 0;
  bool windows_ = true;
};

ClipComparison compare_clips(const Pair& files, const RunControl& control) {
  ClipReader reader_a(files.a), reader_b(files.b);
  std::optional<Frames> a = reader_a.next(), b = reader_b.next();
  if (!a || !b) files.refuse("a clip without a frame", "at least one in each");
  ClipSums sums;
  for (; a && b; a = reader_a.next(), b = reader_b.next()) {
    stop_if_asked(control);
    if (a->width != b->width || a->height != b->height)
      files.refuse("frames of " + size_of(*a) + " and " + size_of(*b) + " pixels", "one size");
    sums.add(*a, *b);
  }
  const auto counted = [&](bool one_more, ClipReader& reader) {
    int64_t count = sums.count() + (one_more ? 1 : 0);
    while (reader.skip()) {
      stop_if_asked(control);
      ++count;
    }
    return count;
  };
  return sums.result(counted(a.has_value(), reader_a), counted(b.has_value(), reader_b));
}

/// Throws unless both have the same names and shapes.
void check_alike(const Pair& files, const Component& a, const Component& b) {
  for (const auto& [name, source] : a.tensors) {
    const auto other = b.tensors.find(name);
    if (other == b.tensors.end()) files.refuse("no " + name + " in the second", "the same tensors");
    if (other->second.stored.shape != source.stored.shape)
      files.refuse(name + " of two shapes", "the same shapes");
  }
  for (const auto& [name, source] : b.tensors) {
    if (!a.has(name)) files.refuse("no " + name + " in the first", "the same tensors");
  }
  if (a.tensors.empty()) files.refuse("no tensor", "at least one");
}

TensorComparison compare_tensors(const Pair& files, const RunControl& control) {
  const c10::InferenceMode inference_mode;
  const Component a = open_tensors(files.a), b = open_tensors(files.b);
  check_alike(files, a, b);
  TensorComparison result;
  double squared_distance = 0, squared_length = 0;
  for (const auto& [name, source] : a.tensors) {
    stop_if_asked(control);
    const Tensor one = read_tensor(source).to(at::kDouble), other = read_tensor(b.get(name)).to(at::kDouble);
    check_finite(one, name + " of " + files.a.string());
    check_finite(other, name + " of " + files.b.string());
    result.numbers += one.numel();
    if (one.numel() == 0) continue;
    const Tensor difference = (one - other).abs();
    squared_length += one.square().sum().item<double>();
    squared_distance += difference.square().sum().item<double>();
    const double largest = difference.max().item<double>();
    if (largest > result.largest_difference) {
      result.largest_difference = largest;
      result.largest_tensor = name;
    }
  }
  if (squared_distance > 0) result.relative_distance = std::sqrt(squared_distance / squared_length);
  result.snr = -20 * std::log10(result.relative_distance);
  return result;
}

}  // namespace

Comparison compare_files(const fs::path& a, const fs::path& b, const RunControl& control) {
  const Pair files{a, b};
  const bool tensors = a.extension() == ".safetensors";
  if (tensors != (b.extension() == ".safetensors")) files.refuse("tensors and a clip", "two of one kind");
  Comparison comparison;
  if (tensors) comparison.tensors = compare_tensors(files, control);
  if (!tensors) comparison.clips = compare_clips(files, control);
  return comparison;
}

}  // namespace t2v
