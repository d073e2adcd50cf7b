#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/headeronly/version.h>

#include <array>
#include <string>
#include <utility>

#include "engine/engine_functions.h"
#include "media/clip_reader.h"
#include "media/clip_writer.h"
#include "media/formats/formats.h"
#include "t2v/error.h"
#include "tensors/device.h"
#include "tensors/tensor.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using State = Finding::State;

void examine_engine(Finding& finding) {
  const std::string kernels = at::get_cpu_capability();
  finding.detail = std::string("LibTorch ") + TORCH_VERSION + " with kernels for " + kernels + ", " +
                   std::to_string(at::get_num_threads()) + " threads; " + libav_versions();
  if (kernels == "DEFAULT") {
    finding.state = State::kWarning;
    finding.advice = "a processor without AVX2 is slow";
  }
  const Tensor ones = at::ones({64, 64});
  if (!at::mm(ones, ones).equal(at::full({64, 64}, 64.0)))
    throw Error(ErrorCode::kNumbers, {.doing = "multiplying matrices", .got = "a wrong product"});
}

void examine_device(at::Device device, Finding& finding) {
  finding.detail = device.str() + ": " + device_name(device);
  if (!device.is_cpu()) {
    finding.detail += ", " + std::to_string(available_memory(device) >> 30) + " GiB free";
    if (at::ones({1}, device).add(1).item<double>() != 2)
      throw Error(ErrorCode::kNumbers, {.doing = "adding on " + finding.detail, .got = "a wrong sum"});
  }
}

bool can_encode(const Codec& codec, const ContainerFormat& format) {
  ClipSettings settings{.width = 64, .height = 64, .fps = 16, .frame_count = 1};
  if (format.codecs.front() != codec.name) settings.codec = codec.name;
  try {
    expect_encoder(std::string("x") + format.extension, settings);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Examines every codec and container of clips.
void examine_encoders(Finding& finding) {
  std::string missing;
  for (const Codec& codec : codecs()) {
    const ContainerFormat& format = container_for(codec);
    if (format.container == Container::kPngSequence) continue;  // every FFmpeg writes PNG
    std::string& list = can_encode(codec, format) ? finding.detail : missing;
    list.append(list.empty() ? "" : ", ").append(codec.name);
  }
  if (missing.empty()) return;
  finding.detail += "; missing: " + missing;
  finding.advice = "install an FFmpeg with these encoders (libavcodec-extra)";
  finding.state = missing.starts_with("h264") ? State::kFailed : State::kWarning;  // .mp4 needs it
  finding.code = ErrorCode::kOutput;
}

/// Mean red, green and blue of a row near the bottom.
std::array<double, 3> ground_colour(const Frames& frame) {
  std::array<double, 3> mean{};
  const int64_t row = frame.height * 9 / 10 * frame.width;
  for (int64_t x = 0; x < frame.width; ++x) {
    for (size_t c = 0; c < 3; ++c) mean[c] += frame.rgb[3 * (row + x) + c] / static_cast<double>(frame.width);
  }
  return mean;
}

Finding examine_part(const std::string& name, const std::string& device) {
  const c10::InferenceMode inference_mode;
  Finding finding{.name = name};
  if (finding.name == "engine") examine_engine(finding);
  if (finding.name == "device") examine_device(parse_device(device), finding);
  if (finding.name == "encoders") examine_encoders(finding);
  return finding;
}

Finding examine_clip(const fs::path& clip) {
  constexpr double kGreener = 10;  // levels
  ClipReader reader(clip);
  int64_t count = 0;
  std::array<double, 3> ground{};
  for (std::optional<Frames> frame = reader.next(); frame; frame = reader.next(), ++count)
    ground = ground_colour(*frame);
  const auto [red, green, blue] = ground;
  Finding finding{.name = "self-test"};
  finding.detail = "rendered, encoded and read back " + std::to_string(count) + " frames";
  if (green > red + kGreener && green > blue + kGreener) return finding;
  finding.state = State::kFailed;
  finding.code = ErrorCode::kNumbers;
  finding.detail += ", whose grass is not green";
  finding.advice = "report it, with this list";
  return finding;
}

}  // namespace

DoctorFunctions doctor_functions() { return {.examine = examine_part, .examine_clip = examine_clip}; }

}  // namespace t2v
