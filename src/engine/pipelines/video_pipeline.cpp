#include "engine/pipelines/video_pipeline.h"

#include <malloc.h>

#include <algorithm>
#include <future>
#include <utility>

#include <ATen/Parallel.h>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/log.h"
#include "core/machine.h"
#include "engine/pipelines/pixels.h"
#include "engine/pipelines/prompt_embeds_cache.h"
#include "engine/pipelines/prompt_tokens.h"
#include "engine/pipelines/wan_image_to_video_pipeline.h"
#include "engine/pipelines/wan_pipeline.h"
#include "engine/pipelines/wan_vace_pipeline.h"
#include "engine/planning/memory_plan.h"
#include "networks/text_encoders/umt5_encoder.h"
#include "sampling/guidance/classifier_free_guidance.h"
#include "sampling/schedulers/scheduler.h"
#include "tensors/device.h"

namespace t2v {
namespace {

constexpr const char* kFp8 = "fp8";
constexpr const char* kLowNoiseExpert = "transformer_2";
/// So many steps before the low-noise expert's first one its files are asked into memory.
constexpr int64_t kStepsToPrefetch = 3;
/// Embeddings of coming clips take so many bytes at most: those of over a thousand prompts of one sentence.
constexpr uint64_t kMostEmbeds = uint64_t{1} << 30;

/// Bytes that the embeddings of coming clips may take, which `device` makes and the host keeps: at most a
/// quarter of what is there, where that is known; the rest is for what makes them and for models.
uint64_t room_for_embeds(at::Device device, std::optional<double> max_vram) {
  uint64_t room = kMostEmbeds;
  const auto leave = [&](uint64_t available) { room = available > 0 ? std::min(room, available / 4) : room; };
  leave(available_memory());
  if (device.is_cpu()) return room;
  leave(available_memory(device));
  if (max_vram) leave(static_cast<uint64_t>(*max_vram * (uint64_t{1} << 30)));
  return room;
}

}  // namespace

std::vector<std::string> prompts_of(const CheckedRequest& request) {
  std::vector<std::string> prompts{request.prompt};
  if (is_guided(request.sampling.guidance_scale)) prompts.push_back(request.negative_prompt);
  return prompts;
}

std::unique_ptr<VideoPipeline> VideoPipeline::make(RenderJob job, ModelStore& models,
                                                   const RunControl& control) {
  const PipelineClass pipeline = job.checkpoint.pipeline;
  if (pipeline == PipelineClass::kWanVACE)
    return std::make_unique<WanVACEPipeline>(std::move(job), models, control);
  const bool with_image = job.checkpoint.expand_timesteps ? job.inputs.image.has_value()
                                                          : pipeline == PipelineClass::kWanImageToVideo;
  if (with_image) return std::make_unique<WanImageToVideoPipeline>(std::move(job), models, control);
  return std::make_unique<WanPipeline>(std::move(job), models, control);
}

VideoPipeline::VideoPipeline(RenderJob job, ModelStore& models, const RunControl& control)
    : job_(std::move(job)), models_(models), control_(control) {
  models_.begin(control_, std::move(job_.coming));
}

VideoPipeline::PromptEmbeds VideoPipeline::encode_prompt() const {
  // With another number of threads sums are rounded in another order.
  const std::string encoder =
      identity("text_encoder", {.placement = text_encoder_placement(), .keep_in_fp32 = {}}) + ";" +
      file_identity(job_.checkpoint.get_tokenizer().path) + "," + std::to_string(at::get_num_threads());
  std::vector<Tensor> embeds =
      models_.embeds(encoder, prompts_of(request()),
                     room_for_embeds(text_encoder_placement().device, request().machine.max_vram),
                     [this](const auto& prompts) { return encode_text(prompts); });
  for (Tensor& rows : embeds) {
    rows = at::constant_pad_nd(rows.to(job_.placement.device), {0, 0, 0, kMaxSequenceLength - rows.size(1)});
  }
  return {embeds[0], embeds.size() == 2 ? std::optional(embeds[1]) : std::nullopt};
}

Placement VideoPipeline::text_encoder_placement() const {
  Placement placement = job_.placement;
  if (!request().machine.text_encoder_device.empty())
    placement.device = parse_device(request().machine.text_encoder_device);
  // What UMT5 computes inside does not fit into float16.
  if (placement.dtype == at::kHalf) placement.dtype = at::kFloat;
  return placement;
}

std::vector<Tensor> VideoPipeline::encode_text(const std::vector<std::string>& prompts) const {
  const auto total = static_cast<int64_t>(prompts.size());
  std::vector<std::vector<int64_t>> tokens = prompt_tokens(job_.checkpoint, prompts);
  const Placement placement = text_encoder_placement();
  std::optional<PromptEmbedsCache> cache;
  if (!request().machine.embeds_cache.empty()) {
    cache.emplace(request().machine.embeds_cache, job_.checkpoint.get("text_encoder"), placement);
  }
  std::vector<Tensor> embeds(prompts.size());
  std::vector<std::vector<int64_t>> missing;
  for (size_t i = 0; i < prompts.size(); ++i) {
    if (cache) embeds[i] = cache->find(tokens[i]).value_or(Tensor());
    if (!embeds[i].defined()) missing.push_back(std::move(tokens[i]));
  }
  if (!missing.empty()) {
    std::vector<Tensor> rows = run_text_encoder(missing, placement);
    auto next = rows.begin();
    for (Tensor& embed : embeds) {
      if (!embed.defined()) embed = *next++;
    }
    for (size_t i = 0; cache && i < missing.size(); ++i) cache->store(missing[i], rows[i]);
  }
  emit(Event::Kind::kEncodeText, total, total);
  return embeds;
}

std::vector<Tensor> VideoPipeline::run_text_encoder(const std::vector<std::vector<int64_t>>& prompts,
                                                    const Placement& placement) const {
  const Weights weights = open_weights("text_encoder", {.placement = placement, .keep_in_fp32 = {}});
  // Each block is used once, for all prompts: none needs to stay.
  const UMT5Encoder text_encoder(
      weights, UMT5Config::from_config(config("text_encoder")),
      {.resident = 0, .ahead = placement.device.is_cpu() ? 0 : 1, .before_each = models_.stop_check()});
  weights.expect_all_used();
  stop_if_asked();
  emit(Event::Kind::kEncodeText, 0, static_cast<int64_t>(prompts.size()));
  std::vector<Tensor> input_ids;
  for (const auto& ids : prompts) input_ids.push_back(at::tensor(ids, at::kLong));
  return text_encoder.forward(input_ids);
}

Weights VideoPipeline::open_weights(const std::string& component, LoadOptions options) const {
  stop_if_asked();
  emit(Event::Kind::kLoad, 0, 0, component);
  const std::string dtype = dtype_name(options.placement.dtype);
  Weights weights = Weights::open(job_.checkpoint.get(component), std::move(options));
  for (const std::filesystem::path& file : weights.files())
    log_verbose("reading " + file.string() + " as " + dtype);
  return weights;
}

std::string VideoPipeline::identity(const std::string& component, const LoadOptions& options) const {
  const Component& loaded = job_.checkpoint.get(component);
  std::string text =
      loaded.config.json().dump() + dtype_name(options.placement.dtype) + options.placement.device.str();
  if (options.fp8_matrices) text.append(kFp8);
  for (const auto& file : loaded.files) text.append(";").append(file_identity(file->path()));
  for (const LoraMerge& merge : options.loras) {
    text.append(";").append(file_identity(merge.lora.file->path()));
    text.append("*").append(std::to_string(merge.strength));
  }
  return text;
}

LoadOptions VideoPipeline::expert_options(const std::string& component) const {
  const bool second = component == kLowNoiseExpert;
  return {.placement = job_.placement,
          .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32(),
          .loras = open_loras(second ? request().model.loras_2 : request().model.loras,
                              job_.checkpoint.get(component), second),
          .fp8_matrices = request().machine.dtype == kFp8};
}

LoadOptions VideoPipeline::float32_options() const {
  return {.placement = {at::kFloat, job_.placement.device}, .keep_in_fp32 = {}};
}

BlockResidency VideoPipeline::residency(const std::string& component) const {
  BlockResidency blocks;
  if (job_.placement.device.is_cpu()) {
    // The files are mapped: a block that is dropped gives back what its numbers take in another dtype.
    if (request().machine.offload == "disk") blocks.resident = 0;
  } else {
    const uint64_t beside = bytes_beside(job_.checkpoint, component, request(), job_.placement);
    const LoadOptions options{.placement = job_.placement,
                              .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32(),
                              .fp8_matrices = request().machine.dtype == kFp8};
    blocks = plan_blocks(TransformerMemory::of(job_.checkpoint.get(component), options, beside),
                         request().machine.offload, request().machine.max_vram);
  }
  // On a CPU a step of a large model takes minutes.
  blocks.before_each = models_.stop_check();
  return blocks;
}

VideoPipeline::NoisePredictor VideoPipeline::load_transformer(
    const std::string& component, const PromptEmbeds& prompt_embeds,
    const std::optional<Tensor>& image_embeds) const {
  const auto transformer =
      load<WanTransformer3DModel>(component, expert_options(component), [&](const Weights& weights) {
        return std::make_shared<const WanTransformer3DModel>(
            weights, WanTransformer3DConfig::from_config(config(component)), residency(component));
      });
  const TextContext prompt = transformer->prepare(prompt_embeds.prompt, image_embeds);
  const TextContext negative_prompt = prompt_embeds.negative_prompt
                                          ? transformer->prepare(*prompt_embeds.negative_prompt, image_embeds)
                                          : TextContext{};
  return [=, this](const Tensor& latents, const Tensor& timestep, Prompt which) {
    return transformer->forward(latents, timestep, which == Prompt::kPositive ? prompt : negative_prompt,
                                around_blocks(which));
  };
}

const AutoencoderKLWan& VideoPipeline::vae(AutoencoderKLWan::Parts parts) {
  if (vae_) return *vae_;
  const auto vae_config = AutoencoderKLWanConfig::from_config(config("vae"));
  vae_ = load<AutoencoderKLWan>(
      "vae", float32_options(),
      [&](const Weights& weights) {
        return std::make_shared<const AutoencoderKLWan>(weights, vae_config, parts);
      },
      parts == AutoencoderKLWan::Parts::kDecoder ? ", to decode" : ", to encode and decode");
  return *vae_;
}

Tensor VideoPipeline::encode(const VideoSource& video) {
  const AutoencoderKLWan& encoder = vae(AutoencoderKLWan::Parts::kEncoderAndDecoder);
  const VideoSource on_device{video.num_frames, video.height, video.width, [&](int64_t first, int64_t count) {
                                stop_if_asked();
                                return video.frames(first, count).to(job_.placement.device);
                              }};
  return encoder.normalize(encoder.encode(on_device, tiling()));
}

Tensor VideoPipeline::draw_latents(int64_t channels, const at::Generator& noise, int64_t more_frames) {
  const AutoencoderKLWanConfig& compression = vae().config();
  const int64_t frames =
      (request().size.num_frames - 1) / compression.scale_factor_temporal + 1 + more_frames;
  const std::vector<int64_t> shape{1, channels, frames,
                                   request().size.height / compression.scale_factor_spatial,
                                   request().size.width / compression.scale_factor_spatial};
  return at::randn(shape, noise, at::kFloat).to(job_.placement.device);
}

std::vector<std::string> VideoPipeline::experts(const Scheduler& scheduler) const {
  const std::optional<double> ratio =
      request().sampling.boundary_ratio ? request().sampling.boundary_ratio : job_.checkpoint.boundary_ratio;
  const int64_t train_timesteps = job_.checkpoint.scheduler.integer("num_train_timesteps", 1000);
  // Compared in float32, as the reference does.
  const auto boundary = static_cast<float>(ratio.value_or(0) * static_cast<double>(train_timesteps));
  std::vector<std::string> experts;
  for (const double timestep : scheduler.timesteps())
    experts.emplace_back(static_cast<float>(timestep) < boundary ? kLowNoiseExpert : "transformer");
  return experts;
}

Tensor VideoPipeline::predict_guided(const NoisePredictor& predict, const Tensor& latents,
                                     const Tensor& timestep, double guidance_scale) const {
  const auto predicted = [&](Prompt prompt) {
    const auto compute = [&] { return predict(latents, timestep, prompt); };
    const bool cached = step_cache_ && step_cache_->around() == StepCache::Around::kModel;
    return cached ? step_cache_->run(static_cast<size_t>(prompt), latents, {}, compute) : compute();
  };
  const Tensor noise_pred = predicted(Prompt::kPositive);
  // Whether there is a negative prompt, the first expert's scale says for both.
  if (!is_guided(request().sampling.guidance_scale)) return noise_pred;
  return classifier_free_guidance(noise_pred, predicted(Prompt::kNegative), guidance_scale);
}

Tensor VideoPipeline::denoise(Tensor latents, const at::Generator& noise, const ExpertLoader& load_expert) {
  const int64_t total = request().sampling.num_inference_steps;
  const auto scheduler =
      make_scheduler(job_.checkpoint.scheduler, {.sampler = request().sampling.sampler,
                                                 .flow_shift = request().sampling.flow_shift,
                                                 .sigmas = request().sampling.sigmas,
                                                 .legacy_flow_sigmas = request().sampling.legacy_sigmas});
  scheduler->set_timesteps(total);
  const std::vector<std::string> expert = experts(*scheduler);  // of each step

  NoisePredictor predict;
  std::future<void> prefetched;
  for (int64_t step = 0; step < total; ++step) {
    stop_if_asked();
    if (!prefetched.valid()) prefetched = prefetch_next(expert, step);
    if (step == 0 || expert[step] != expert[step - 1]) {
      predict = nullptr;  // releases the other expert before this one is loaded
      predict = load_expert(expert[step]);
      begin_caching(expert, step);
    }
    emit(Event::Kind::kStep, step, total);
    const Tensor noise_pred =
        predict_guided(predict, latents, scheduler->timestep(step), guidance_scale_of(expert[step]));
    if (job_.on_preview) {
      job_.on_preview(step + 1, total,
                      [&] { return preview(latents - scheduler->sigmas()[step] * noise_pred); });
    }
    latents = scheduler->step(noise_pred, latents, noise);
  }
  emit(Event::Kind::kStep, total, total);
  finish_caching();
  tell_skipped_steps();
  return latents;
}

std::future<void> VideoPipeline::prefetch_next(const std::vector<std::string>& experts, int64_t step) const {
  const auto soon = std::min<size_t>(step + kStepsToPrefetch, experts.size() - 1);
  if (experts[soon] == experts[step] || models_.has(experts[soon])) return {};
  return std::async(std::launch::async, [&next = job_.checkpoint.get(experts[soon])] {
    for (const auto& file : next.files) file->prefetch();
  });
}

double VideoPipeline::guidance_scale_of(const std::string& expert) const {
  const double scale = request().sampling.guidance_scale;
  return expert == kLowNoiseExpert ? request().sampling.guidance_scale_2.value_or(scale) : scale;
}

void VideoPipeline::begin_caching(const std::vector<std::string>& experts, int64_t step) {
  finish_caching();
  const auto total = static_cast<int64_t>(experts.size());
  const auto count = std::count(experts.begin(), experts.end(), experts[step]);
  step_cache_ = StepCache::make(read_cache_options(request().caching.mode, request().caching.options, total),
                                {.first = step, .count = count, .total = total});
}

void VideoPipeline::finish_caching() {
  if (!step_cache_) return;
  skipped_steps_ = skipped_steps_.value_or(0) + step_cache_->skipped();
  if (const std::string found = step_cache_->found(); !found.empty()) log_warning("measured: " + found);
  step_cache_ = nullptr;
}

void VideoPipeline::tell_skipped_steps() const {
  if (!skipped_steps_) return;
  log_warning("--cache-mode " + request().caching.mode + " skipped " + std::to_string(*skipped_steps_) +
              " of " + std::to_string(request().sampling.num_inference_steps) + " steps");
}

AroundBlocks VideoPipeline::around_blocks(Prompt prompt) const {
  if (!step_cache_ || step_cache_->around() != StepCache::Around::kBlocks) return {};
  return
      [this, prompt](const Tensor& hidden_states, const Tensor& temb, const std::function<Tensor()>& blocks) {
        return step_cache_->run(static_cast<size_t>(prompt), hidden_states, temb, blocks);
      };
}

Tensor VideoPipeline::finish(const Tensor& latents) {
  const Tensor final_latents = latents.to(at::kCPU, at::kFloat).contiguous();
  check_finite(final_latents, "sampling");
  ::malloc_trim(0);  // what the transformer computed with is not needed to decode
  return final_latents;
}

Frames VideoPipeline::preview(const Tensor& predicted) {
  return preview_frames(without_references(with_known(predicted)), [this](const Tensor& latents) {
    Tensor frame;
    decode_on_device(latents, [&frame](const Tensor& pixels) { frame = pixels; });
    return frame;
  });
}

void VideoPipeline::decode(const Tensor& latents, const std::function<void(const Frames&)>& on_frames) {
  const c10::InferenceMode inference_mode;
  vae();  // is loaded before anything is told of decoding
  const Tensor of_clip = without_references(latents);
  const int64_t total = of_clip.size(2);
  int64_t done = 0;
  emit(Event::Kind::kDecode, done, total);
  decode_on_device(of_clip.to(job_.placement.device), [&](const Tensor& pixels) {
    stop_if_asked();
    on_frames(to_frames(pixels));
    emit(Event::Kind::kDecode, ++done, total);
  });
}

void VideoPipeline::decode_on_device(const Tensor& latents,
                                     const std::function<void(const Tensor&)>& on_chunk) {
  const AutoencoderKLWan& decoder = vae();
  const Tensor denormalized = decoder.denormalize(latents);
  if (request().machine.vae_tiling) {
    decoder.decode(denormalized, *tiling(), on_chunk);
  } else {
    decoder.decode(denormalized, on_chunk);
  }
}

Tensor VideoPipeline::without_references(const Tensor& latents) const {
  return latents.slice(2, static_cast<int64_t>(request().conditions.reference_images.size()));
}

std::optional<VaeTiling> VideoPipeline::tiling() const {
  if (!request().machine.vae_tiling) return std::nullopt;
  return VaeTiling{.on_progress = [this](int64_t /*done*/, int64_t /*total*/) { stop_if_asked(); }};
}

void VideoPipeline::emit(Event::Kind kind, int64_t done, int64_t total, const std::string& detail) const {
  if (control_.on_event) control_.on_event({.kind = kind, .done = done, .total = total, .detail = detail});
}

void VideoPipeline::stop_if_asked() const {
  if (control_.stop != nullptr && *control_.stop) throw Stopped{};
}

}  // namespace t2v
