#include "api/engine.h"

#include <malloc.h>

#include <new>
#include <tuple>

#include <ATen/Parallel.h>

#include "api/kept_latents.h"
#include "api/settings.h"
#include "api/sources.h"
#include "api/visual_inputs.h"
#include "core/tensor.h"
#include "media/output_format.h"
#include "media/video_writer.h"
#include "pipelines/video_pipeline.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

void emit(const RunControl& control, const Event& event) {
  if (control.on_event) control.on_event(event);
}

VideoSettings video_settings(const GenerateRequest& request, const std::string& settings) {
  return {.width = *request.width,
          .height = *request.height,
          .fps = *request.fps,
          .quality = request.quality,
          .crf = request.crf,
          .comment = request.metadata ? settings : "",
          .frame_count = *request.num_frames,
          .overwrite = request.overwrite};
}

/// Whether two requests load the same models in the same way.
bool same_models(const GenerateRequest& a, const GenerateRequest& b) {
  const auto models = [](const GenerateRequest& request) {
    return std::tie(request.model, request.transformer, request.transformer_2, request.vae,
                    request.image_encoder, request.loras, request.loras_2, request.dtype, request.device,
                    request.offload, request.max_vram);
  };
  return models(a) == models(b);
}

bool same_text_encoder(const GenerateRequest& a, const GenerateRequest& b) {
  const auto encoder = [](const GenerateRequest& request) {
    return std::tie(request.model, request.text_encoder, request.tokenizer, request.dtype, request.device,
                    request.text_encoder_device, request.threads, request.embeds_cache);
  };
  return encoder(a) == encoder(b);
}

/// What those to come can use of what `request` loads. Who limits memory has each part released in time.
ComingClips coming_clips(const GenerateRequest& request, const std::vector<GenerateRequest>& expected) {
  const bool unlimited = !request.max_vram && (request.offload == "auto" || request.offload == "none");
  ComingClips coming;
  for (const GenerateRequest& other : expected) {
    if (unlimited && same_models(request, other)) coming.same_models = true;
    if (!same_text_encoder(request, other)) continue;
    for (std::string& prompt : prompts_of(other)) coming.prompts.push_back(std::move(prompt));
  }
  return coming;
}

void set_threads(int64_t threads) {
  static const int at_start = at::get_num_threads();
  at::set_num_threads(threads > 0 ? static_cast<int>(threads) : at_start);
}

/// The clip that latents are, published; its first file.
fs::path write_clip(const GenerateRequest& request, const std::string& settings, const Tensor& latents,
                    VideoPipeline& pipeline, const RunControl& control) {
  const auto writer = make_video_writer(request.output, video_settings(request, settings));
  pipeline.decode(latents, [&](const Frames& frames) { writer->write(frames); });
  emit(control, {.kind = Event::Kind::kWrite, .detail = request.output.string()});
  if (control.stop != nullptr && *control.stop) throw Stopped{};
  writer->publish();
  const bool sequence = output_container(request.output) == Container::kPngSequence;
  return sequence ? SequenceNames(request.output, *request.num_frames).frame(1) : request.output;
}

GenerateResult render(const GenerateRequest& request, ComingClips coming, ModelStore& models,
                      const RunControl& control) {
  const c10::InferenceMode inference_mode;
  // Large tensors go back to the system when they are freed. glibc would raise this limit by itself, and a
  // long decode would leave ever more holes in its heap.
  ::mallopt(M_MMAP_THRESHOLD, 16 << 20);
  set_threads(request.threads);
  const Placement placement{parse_dtype(request.dtype), parse_device(request.device)};
  GenerateResult result{.output = {}, .settings = settings_json(request, placement.device.str())};

  Checkpoint checkpoint = Checkpoint::open(sources_of(request));
  VisualInputs inputs = read_visual_inputs(request, checkpoint);
  const auto pipeline = VideoPipeline::make(
      {std::move(checkpoint), placement, request, std::move(inputs), std::move(coming)}, models, control);
  const Tensor latents = pipeline->sample();
  KeptLatents kept(request, latents, result.settings);
  try {
    result.output = write_clip(request, result.settings, latents, *pipeline, control);
  } catch (...) {
    kept.tell();
    throw;
  }
  kept.remove();
  emit(control, {.kind = Event::Kind::kDone, .detail = result.output.string()});
  return result;
}

/// What LibTorch throws as an Error.
template <typename Work>
auto with_errors(const Work& work) {
  const auto out_of_memory = [](const std::string& got) {
    return Error(ErrorCode::kResource,
                 {.doing = "rendering",
                  .got = got,
                  .expected = "enough memory",
                  .advice = "lower --width, --height or --frames, or use --dtype bfloat16"});
  };
  try {
    return work();
  } catch (const std::bad_alloc&) {
    throw out_of_memory("no memory");
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    const bool memory = dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
                        message.find("not enough memory") != std::string::npos ||
                        message.find("can't allocate memory") != std::string::npos;
    if (memory) throw out_of_memory(message.substr(0, message.find('\n')));
    throw Error(ErrorCode::kBug, {.doing = "rendering", .got = message.substr(0, message.find('\n'))});
  }
}

class TensorRenderEngine final : public RenderEngine {
 public:
  GenerateResult render(const GenerateRequest& request, const std::vector<GenerateRequest>& expected,
                        const RunControl& control) override {
    try {
      return with_errors(
          [&] { return t2v::render(request, coming_clips(request, expected), models_, control); });
    } catch (const Error&) {
      models_ = {};  // what is kept may be why memory ran out
      throw;
    }
  }

 private:
  ModelStore models_;
};

}  // namespace

extern "C" void t2v_engine_make_renderer(std::unique_ptr<RenderEngine>& renderer) {
  renderer = std::make_unique<TensorRenderEngine>();
}

}  // namespace t2v
