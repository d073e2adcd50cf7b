#include "t2v/decode.h"

#include "api/data_folder.h"
#include "api/decode_task.h"
#include "api/engine_library.h"
#include "engine/interface/engine.h"
#include "engine/interface/output_options.h"
#include "engine/interface/settings.h"
#include "engine/interface/sources.h"
#include "files/formats/tensor_file.h"
#include "media/output_format.h"
#include "t2v/error.h"
#include "t2v/hub.h"
#include "t2v/inspect.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// [1, channels, frames, height, width] in float32, as KeptLatents writes them.
const std::vector<int64_t>& shape_of_latents(const TensorFile& file) {
  const auto found = file.tensors().find("latents");
  if (found != file.tensors().end()) {
    const StoredTensor& latents = found->second;
    const bool whole = latents.shape.size() == 5 && latents.shape[0] == 1 && latents.begin < latents.end;
    if (whole && latents.format == NumberFormat::kF32) return latents.shape;
  }
  throw Error(ErrorCode::kInput, {.doing = "decoding " + file.path().string(),
                                  .got = "no clip's latents in it",
                                  .expected = "float32 latents [1, channels, frames, height, width]"});
}

std::string shown(int64_t width, int64_t height, int64_t frames) {
  return std::to_string(width) + "x" + std::to_string(height) + ", " + std::to_string(frames) + " frames";
}

/// Gives the request the size and the length of the latents, which are those that it was sampled with.
void take_shape(const fs::path& file, const std::vector<int64_t>& shape, const Config& vae,
                GenerateRequest& request) {
  const int64_t channels = vae.integer("z_dim", 16);
  const auto fail = [&](const std::string& got, const std::string& expected, const std::string& advice) {
    throw Error(ErrorCode::kInput,
                {.doing = "decoding " + file.string(), .got = got, .expected = expected, .advice = advice});
  };
  if (shape[1] != channels) {
    fail("latents of " + std::to_string(shape[1]) + " channels",
         std::to_string(channels) + ", which the VAE has",
         "name the VAE of the model that they were sampled with: --vae PATH");
  }
  const auto references = static_cast<int64_t>(request.reference_images.size());
  const int64_t factor = vae.integer("scale_factor_spatial", 8);
  const int64_t frames = (shape[2] - references - 1) * vae.integer("scale_factor_temporal", 4) + 1;
  const int64_t height = shape[3] * factor, width = shape[4] * factor;
  const bool recorded_size =
      request.width.value_or(width) == width && request.height.value_or(height) == height;
  if (!recorded_size || request.num_frames.value_or(frames) != frames || frames < 1) {
    fail("latents of " + shown(width, height, frames),
         shown(request.width.value_or(width), request.height.value_or(height),
               request.num_frames.value_or(frames)),
         "the file was changed, or --vae names the VAE of another model");
  }
  request.width = width;
  request.height = height;
  request.num_frames = frames;
}

}  // namespace

DecodeTask make_decode_task(const fs::path& latents, const GenerateRequest& request) {
  GenerateRequest checked = request;
  const auto file = TensorFile::open(latents);
  const std::vector<int64_t>& shape = shape_of_latents(*file);
  const std::string recorded = inspect(latents).settings;
  if (!checked.vae.empty()) checked.model.clear();  // nothing of it is needed
  if (checked.vae.empty() && checked.model.empty()) checked.model = bundled_model();
  checked.model = locate_model(checked.model);
  checked.vae = locate_model(checked.vae);
  const Checkpoint checkpoint = Checkpoint::open({.model = checked.model, .vae = checked.vae});
  take_shape(latents, shape, checkpoint.get("vae").config, checked);
  if (!(checked.fps >= kFrameRates.smallest && checked.fps <= kFrameRates.largest)) {
    throw Error(ErrorCode::kUsage, {.doing = "decoding " + latents.string(),
                                    .got = checked.fps ? "--fps " + std::to_string(*checked.fps) : "no --fps",
                                    .expected = "a number of frames a second"});
  }
  check_output(checked.output, output_options(checked));
  return {.latents = latents, .request = checked, .settings = decoded_settings_json(recorded, checked)};
}

GenerateResult decode(const fs::path& latents, const GenerateRequest& request, const RunControl& control) {
  const DecodeTask task = make_decode_task(latents, request);
  if (control.on_event) control.on_event({.kind = Event::Kind::kStart, .detail = task.settings});
  const auto engine_decode = engine_entry<decltype(t2v_engine_decode)>(kEngineDecode);
  GenerateResult result;
  engine_decode(task, control, result);
  return result;
}

}  // namespace t2v
