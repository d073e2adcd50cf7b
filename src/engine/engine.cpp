#include "engine/engine_functions.h"

#include <malloc.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "core/process.h"
#include "engine/clips/clip_output.h"
#include "engine/clips/kept_latents.h"
#include "engine/clips/preview.h"
#include "engine/clips/read_visual_inputs.h"
#include "engine/engine_errors.h"
#include "engine/interface/settings.h"
#include "engine/interface/sources.h"
#include "engine/pipelines/prompt_encoder.h"
#include "engine/pipelines/registry.h"
#include "engine/planning/kept_models.h"
#include "engine/planning/memory_limit.h"
#include "engine/request_threads.h"
#include "families/registry.h"
#include "tensors/device.h"
#include "tensors/tensor.h"

namespace t2v {
namespace {

using Paths = std::map<std::string, std::filesystem::path>;

/// The named parts that encode text, or the others.
Paths named_parts(const ModelChoice& choice, bool for_text) {
  Paths named;
  for (const auto& [part, path] : choice.parts) {
    if (encodes_text(part) == for_text) named.emplace(part, path);
  }
  return named;
}

/// Whether two clips use the same models, text encoders aside, in the same way.
bool same_models(const CheckedRequest& a, const CheckedRequest& b) {
  const auto models = [](const CheckedRequest& request) {
    const ModelChoice& model = request.model;
    const Machine& machine = request.machine;
    return std::tuple(model.model, named_parts(model, /*for_text=*/false), model.loras, model.loras_2,
                      machine.dtype, machine.device, machine.offload, machine.max_vram);
  };
  return models(a) == models(b);
}

/// Whether both clips use the same text encoders in the same way. Their transformers may differ.
bool same_text_encoder(const CheckedRequest& a, const CheckedRequest& b) {
  const auto encoders = [](const CheckedRequest& request) {
    const Machine& machine = request.machine;
    return std::tuple(request.model.model, named_parts(request.model, /*for_text=*/true), machine.dtype,
                      machine.device, machine.text_encoder_device, machine.threads, machine.embeds_cache);
  };
  return encoders(a) == encoders(b);
}

/// Models and prompts that the expected clips share with `request`; no models with a limit of memory.
ComingClips coming_clips(const CheckedRequest& request, const std::vector<CheckedRequest>& expected) {
  const Machine& machine = request.machine;
  const bool unlimited = !machine.max_vram && (machine.offload == "auto" || machine.offload == "none");
  ComingClips coming;
  for (const CheckedRequest& other : expected) {
    if (unlimited && same_models(request, other)) coming.same_models = true;
    if (!same_text_encoder(request, other)) continue;
    for (std::string& prompt : prompts_of(other)) coming.prompts.push_back(std::move(prompt));
  }
  return coming;
}

/// Throws for a clip that does not fit into memory or cannot be written. Returns whether its models can stay
/// loaded together. `warm`: the models of the clip before are loaded, and stay.
bool expect_to_fit(const CheckedRequest& request, const Checkpoint& checkpoint, Placement placement,
                   bool warm) {
  const auto costs = make_cost_model(checkpoint, request, placement);
  PlannedMachine machine = this_machine(placement.device);
  // The plan counts the memory of warm models, which is taken already.
  if (warm && machine.device.is_cpu()) machine.host_available += model_bytes(*costs, checkpoint);
  const Plan plan =
      warm ? plan_as_asked(checkpoint, request, machine) : plan_clip(checkpoint, request, machine);
  expect_memory(plan);
  expect_room(request.outputs, plan.disk.latents);
  expect_encoder(clip_file(request, ""));
  return warm || models_fit_together(*costs, checkpoint, plan);
}

/// Makes the clip from final latents. Keeps the latents if this fails.
GenerateResult finish(const CheckedRequest& request, const std::string& settings, const Latents& latents,
                      VideoPipeline& pipeline, const RunControl& control) {
  GenerateResult result{.output = {}, .settings = settings};
  KeptLatents kept(request.outputs, latents, settings);
  try {
    result.output = write_clip(clip_file(request, settings), latents, pipeline, control);
  } catch (...) {
    kept.tell();
    throw;
  }
  kept.remove();
  return result;
}

GenerateResult render_clip(const RenderTask& task, ModelStore& models, const RunControl& control) {
  const CheckedRequest& request = task.request;
  const c10::InferenceMode inference_mode;
  // Freed large tensors go back to the system. glibc would raise this limit by itself, and a long decode
  // would leave more and more holes in its heap.
  if (may_tune_process()) ::mallopt(M_MMAP_THRESHOLD, 16 << 20);
  const RequestThreads threads(request.machine.threads);
  const Placement placement{parse_dtype(request.machine.dtype), parse_device(request.machine.device)};
  Checkpoint checkpoint = Checkpoint::open(sources_of(request.model));
  ComingClips coming = coming_clips(request, task.expected);
  const bool fits = expect_to_fit(request, checkpoint, placement, models.has_models());
  coming.same_models = coming.same_models && fits;
  VisualInputs inputs = read_visual_inputs(request.conditions, request.size, checkpoint);
  Preview preview(request, control);
  const auto pipeline = make_pipeline({.checkpoint = std::move(checkpoint),
                                       .placement = placement,
                                       .request = request,
                                       .inputs = std::move(inputs),
                                       .coming = std::move(coming),
                                       .on_preview = preview.callback()},
                                      models, control);
  const Latents latents = sample_all(*pipeline);
  const std::string settings = settings_json(request, {.device = placement.device.str(),
                                                       .device_name = device_name(placement.device),
                                                       .model_sha256 = task.model_sha256(),
                                                       .skipped_steps = pipeline->skipped_steps()});
  GenerateResult result = finish(request, settings, latents, *pipeline, control);
  preview.keep();
  return result;
}

class TensorRenderEngine final : public RenderEngine {
 public:
  GenerateResult render(const RenderTask& task, const RunControl& control) override {
    // Models of another clip must not stay in memory beside the models of this clip.
    if (before_ && !same_models(*before_, task.request)) models_.drop_models();
    before_ = task.request;
    try {
      return with_errors_of("rendering", [&] { return render_clip(task, models_, control); });
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kResource) models_ = {};  // frees memory for the next clip
      throw;
    }
  }

 private:
  ModelStore models_;
  std::optional<CheckedRequest> before_;
};

GenerateResult decode(const DecodeTask& task, const RunControl& control) {
  const c10::InferenceMode inference_mode;
  const RequestThreads threads(task.machine.threads);
  const at::Device device = parse_device(task.machine.device);
  Checkpoint checkpoint = Checkpoint::open(sources_of(task.model));
  expect_memory(plan_decoding(checkpoint, task, this_machine(device)));
  const Latents latents = read_latents(task.latents);
  ModelStore models;
  const auto pipeline = make_pipeline({.checkpoint = std::move(checkpoint),
                                       .placement = {at::kFloat, device},
                                       .request = request_of(task),
                                       .inputs = {}},
                                      models, control);
  return {.output = write_clip(clip_file(task, task.settings), latents, *pipeline, control),
          .settings = task.settings};
}

}  // namespace

RenderFunctions render_functions() {
  return {.make_renderer = []() -> std::unique_ptr<RenderEngine> {
            return std::make_unique<TensorRenderEngine>();
          },
          .decode =
              [](const DecodeTask& task, const RunControl& control) {
                return with_errors_of("decoding", [&] { return decode(task, control); });
              }};
}

extern "C" const EngineEntryPoints& t2v_engine_entry_points() {
  static const EngineEntryPoints table{.rendering = render_functions(),
                                       .planning = plan_functions(),
                                       .clips = clip_functions(),
                                       .conversion = convert_functions(),
                                       .inspection = inspect_functions(),
                                       .bench = bench_functions(),
                                       .doctor = doctor_functions()};
  return table;
}

}  // namespace t2v
