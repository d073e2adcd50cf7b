#include "api/checks.h"
#include "api/data_folder.h"
#include "api/engine_library.h"
#include "api/hand_out_frames.h"
#include "api/locate_model.h"
#include "core/setting.h"
#include "engine/interface/output_options.h"
#include "engine/interface/settings.h"
#include "engine/interface/sources.h"
#include "families/registry.h"
#include "files/formats/tensor_file.h"
#include "media/formats/output_format.h"
#include "t2v/error.h"
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

/// The size of the clip that the latents were sampled for. Error (kInput) unless it is what the request says.
CheckedSize size_of(const fs::path& file, const std::vector<int64_t>& shape, const LatentGeometry& geometry,
                    const DecodeRequest& request) {
  const auto fail = [&](const std::string& got, const std::string& expected, const std::string& advice) {
    throw Error(ErrorCode::kInput,
                {.doing = "decoding " + file.string(), .got = got, .expected = expected, .advice = advice});
  };
  if (shape[1] != geometry.channels) {
    fail("latents of " + std::to_string(shape[1]) + " channels",
         std::to_string(geometry.channels) + ", which the VAE has",
         "name the VAE of the model that they were sampled with: `vae` PATH");
  }
  const auto [frames, height, width] = geometry.clip(shape[2] - request.reference_images, shape[3], shape[4]);
  const std::string got = shown(width, height, frames);
  const std::string expected = shown(request.size.width.value_or(width), request.size.height.value_or(height),
                                     request.size.num_frames.value_or(frames));
  if (got != expected || frames < 1) {
    fail("latents of " + got, expected, "the file was changed, or `vae` names the VAE of another model");
  }
  return {.height = height, .width = width, .num_frames = frames, .fps = request.size.fps.value_or(0)};
}

/// The VAE of a model, where its files are.
ModelChoice vae_of(const ModelChoice& choice) {
  for (const Family* family : families()) {
    const std::string& vae = vae_of(*family).name;
    if (!choice.part(vae).empty()) return {.parts = {{vae, locate_model(choice.part(vae))}}};
  }
  return {.model = locate_model(choice.model.empty() ? bundled_model() : choice.model)};
}

}  // namespace

DecodeTask check_decode(const fs::path& latents, const DecodeRequest& request) {
  const auto file = TensorFile::open(latents);
  const std::vector<int64_t>& shape = shape_of_latents(*file);
  const std::string recorded = inspect(latents).settings;
  DecodeTask task{.latents = latents,
                  .model = vae_of(request.model),
                  .reference_images = request.reference_images,
                  .machine = request.machine,
                  .encoding = request.encoding,
                  .outputs = request.outputs};
  task.size = size_of(latents, shape, Checkpoint::open(sources_of(task.model)).geometry(), request);
  if (!(task.size.fps >= kFrameRates.smallest && task.size.fps <= kFrameRates.largest)) {
    const bool given = request.size.fps.has_value();
    throw Error(ErrorCode::kUsage, {.doing = "decoding " + latents.string(),
                                    .got = given ? setting("fps", std::to_string(task.size.fps)) : "no `fps`",
                                    .expected = "a number of frames a second"});
  }
  if (!task.outputs.output.empty())
    check_output(task.outputs.output, output_options(task.size, task.encoding, task.outputs));
  task.settings = decoded_settings_json(recorded, task);
  return task;
}

GenerateResult decode(const std::filesystem::path& latents, const DecodeRequest& request,
                      const RunControl& control) {
  const DecodeTask task = check_decode(latents, request);
  return hand_out_frames(request.outputs, control, [&](const RunControl& guarded) {
    if (control.on_event) control.on_event({.kind = Event::Kind::kStart, .detail = task.settings});
    return engine().rendering.decode(task, guarded);
  });
}

}  // namespace t2v
