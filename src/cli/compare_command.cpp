#include <cmath>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "cli/screen/format.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "run_command.h"
#include "t2v/compare.h"

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDescription = R"(t2v compare: how far two clips, or two files of latents, are apart.

Examples
  t2v compare old.mp4 new.mp4
  t2v compare reference.mkv clip.mkv --fail-under 40
  t2v compare frames-%04d.png clip.mkv --json
  t2v compare one.safetensors other.safetensors

Usage
  t2v compare A B [flags]

)";

constexpr const char* kNotes = R"(
A clip is a video file, a picture, or numbered pictures (clip-%04d.png, or the
name that -o had). Frames are compared in RGB and counted from 1. Where one
clip is longer, the frames that both have are compared; of frames of two sizes,
none: that is an error.

PSNR is of all frames together, in dB; SSIM is the mean over the frames, of
BT.709 luma in Gaussian windows of 11x11 pixels (sigma 1.5). Of .safetensors
files: distance is |a - b| / |a|, SNR is -20 log10 of it, in dB.

Exit code 0 whatever the result is, unless --fail-under asks for more; then 8
if PSNR or SNR is below it or one clip is longer.

Standard output with --json, of clips:
  {"kind": "clips", "width", "height", "frames": [A, B], "psnr", "worst_psnr",
   "worst_frame", "ssim", "largest_difference", "largest_frame",
   "first_difference"}
and of tensors:
  {"kind": "tensors", "numbers", "relative_distance", "snr",
   "largest_difference", "largest_tensor"}
with null for what is infinite or nowhere.
)";

constexpr Range<double> kDecibels{0, 1000};
constexpr int kExitBelow = 8;

std::string decibels(double value) {
  return std::isinf(value) && value > 0 ? "infinite" : formatted("%.2f dB", value);
}

std::string describe(const ClipComparison& clips) {
  std::string frames = std::to_string(clips.frames_a) + " frames";
  if (clips.frames_a != clips.frames_b) frames += " and " + std::to_string(clips.frames_b);
  frames += " of " + std::to_string(clips.width) + "x" + std::to_string(clips.height) + '\n';
  if (clips.first_difference == 0) return frames + "equal\n";
  std::string text = frames + "PSNR                " + decibels(clips.psnr);
  if (clips.worst_psnr < clips.psnr)
    text += "; of frame " + std::to_string(clips.worst_frame) + " " + decibels(clips.worst_psnr);
  if (clips.ssim) text += "\nSSIM                " + formatted("%.5f", *clips.ssim);
  text += "\nlargest difference  " + std::to_string(clips.largest_difference) + " of 255 levels";
  if (clips.largest_frame > 0) text += ", in frame " + std::to_string(clips.largest_frame);
  return text + "\nfirst difference    frame " + std::to_string(clips.first_difference) + '\n';
}

std::string describe(const TensorComparison& tensors) {
  const std::string numbers = std::to_string(tensors.numbers) + " numbers\n";
  if (tensors.largest_tensor.empty()) return numbers + "equal\n";
  return numbers + "distance            " + formatted("%.3g", tensors.relative_distance) +
         "\nSNR                 " + decibels(tensors.snr) + "\nlargest difference  " +
         formatted("%.3g", tensors.largest_difference) + ", in " + tensors.largest_tensor + '\n';
}

/// null for what JSON has no number for.
Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json frame_or_null(int64_t frame) { return frame > 0 ? Json(frame) : Json(nullptr); }

Json to_json(const ClipComparison& clips) {
  return {{"kind", "clips"},
          {"width", clips.width},
          {"height", clips.height},
          {"frames", {clips.frames_a, clips.frames_b}},
          {"psnr", finite(clips.psnr)},
          {"worst_psnr", finite(clips.worst_psnr)},
          {"worst_frame", clips.worst_frame},
          {"ssim", clips.ssim ? Json(*clips.ssim) : Json(nullptr)},
          {"largest_difference", clips.largest_difference},
          {"largest_frame", frame_or_null(clips.largest_frame)},
          {"first_difference", frame_or_null(clips.first_difference)}};
}

Json to_json(const TensorComparison& tensors) {
  const bool equal = tensors.largest_tensor.empty();
  return {{"kind", "tensors"},
          {"numbers", tensors.numbers},
          {"relative_distance", finite(tensors.relative_distance)},
          {"snr", finite(tensors.snr)},
          {"largest_difference", tensors.largest_difference},
          {"largest_tensor", equal ? Json(nullptr) : Json(tensors.largest_tensor)}};
}

/// What --fail-under objects to; "" for nothing.
std::string objection(const Comparison& comparison, double least) {
  const double got = comparison.decibels();
  if (got < least) return decibels(got) + " is below " + formatted("%g dB", least);
  const bool longer = comparison.clips && comparison.clips->frames_a != comparison.clips->frames_b;
  return longer ? std::to_string(comparison.clips->frames_a) + " frames and " +
                      std::to_string(comparison.clips->frames_b)
                : "";
}

struct Arguments {
  std::filesystem::path a, b;
  std::optional<double> fail_under;
};

int run(const Invocation& invocation, const Arguments& arguments, Progress& progress) {
  const Comparison comparison = compare(arguments.a, arguments.b, make_run_control(progress));
  progress.summarize(true);
  if (invocation.json) {
    print_json(comparison.clips ? to_json(*comparison.clips) : to_json(*comparison.tensors));
  } else {
    print(comparison.clips ? describe(*comparison.clips) : describe(*comparison.tensors));
  }
  const std::string failed = arguments.fail_under ? objection(comparison, *arguments.fail_under) : "";
  if (failed.empty()) return 0;
  progress.fail(kExitBelow, "--fail-under: " + failed);
  return kExitBelow;
}

}  // namespace

Command compare_command() {
  const auto arguments = std::make_shared<Arguments>();
  return {.name = "compare",
          .summary = "Tells how far two clips are apart",
          .description = kDescription,
          .notes = kNotes,
          .operands = {path_flag({"A"}, "PATH", "A clip, or a .safetensors file", arguments->a),
                       path_flag({"B"}, "PATH", "Another one", arguments->b)},
          .flags = {{"What is too far",
                     {number_flag({"--fail-under"},
                                  "Exit code 8 if PSNR or SNR is below this many dB; 1000: anything differs",
                                  kDecibels, arguments->fail_under)}}},
          .stopped = "nothing was changed",
          .run = [arguments](const Invocation& invocation, Progress& progress) {
            return run(invocation, *arguments, progress);
          }};
}

}  // namespace t2v
