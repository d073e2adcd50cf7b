#include "pipelines/wan_pipeline.h"

#include <malloc.h>

#include "core/log.h"
#include "guidance/classifier_free_guidance.h"
#include "schedulers/scheduler.h"
#include "t2v/text.h"
#include "text/prompt_clean.h"
#include "text/tokenizer.h"
#include "text_encoders/umt5_encoder.h"

namespace t2v {
namespace {

/// How many tokens the transformer was trained to see.
constexpr int64_t kMaxSequenceLength = 512;

/// Pixels [1, 3, count, height, width] in [-1, 1] -> 8-bit frames, rounded to the nearest level.
Frames to_frames(const Tensor& pixels) {
  check_finite(pixels, "decoding the latents");
  const Tensor levels = (pixels[0].permute({1, 2, 3, 0}) * 0.5 + 0.5).clamp(0, 1).mul(255).round();
  const Tensor rgb = levels.to(at::kCPU, at::kByte).contiguous();
  Frames frames{.count = rgb.size(0), .height = rgb.size(1), .width = rgb.size(2), .rgb = {}};
  frames.rgb.assign(rgb.data_ptr<uint8_t>(), rgb.data_ptr<uint8_t>() + rgb.numel());
  return frames;
}

std::vector<int64_t> real_tokens(const Tokenizer& tokenizer, const std::string& prompt) {
  TokenIds tokens = tokenizer.encode(prompt_clean(prompt), kMaxSequenceLength);
  if (!tokens.dropped.empty()) {
    constexpr size_t kShown = 200;
    const std::string longest = std::to_string(kMaxSequenceLength);
    log_warning("the prompt is longer than " + longest + " tokens; not used: \"" +
                escape_for_display(tokens.dropped).substr(0, kShown) +
                (tokens.dropped.size() > kShown ? "...\"" : "\""));
  }
  tokens.ids.resize(tokens.length);
  return tokens.ids;
}

}  // namespace

WanPipeline::WanPipeline(Checkpoint checkpoint, Placement placement, const RunControl& control)
    : checkpoint_(std::move(checkpoint)), placement_(placement), control_(control) {}

Tensor WanPipeline::sample(const GenerateRequest& request) {
  const c10::InferenceMode inference_mode;
  const PromptEmbeds prompt_embeds = encode_prompt(request);
  load_vae();
  const Tensor latents = denoise(prepare_latents(request), prompt_embeds, request);
  ::malloc_trim(0);  // what the transformer computed with is not needed to decode
  return latents;
}

WanPipeline::PromptEmbeds WanPipeline::encode_prompt(const GenerateRequest& request) const {
  const auto tokenizer = Tokenizer::open_folder(checkpoint_.get_tokenizer().path);
  const Weights weights = open_weights("text_encoder", {.placement = placement_, .keep_in_fp32 = {}});
  const UMT5Encoder text_encoder(weights, UMT5Config::from_config(checkpoint_.get("text_encoder").config));
  weights.expect_all_used();

  const int64_t total = is_guided(*request.guidance_scale) ? 2 : 1;
  const auto encode = [&](const std::string& prompt, int64_t index) {
    stop_if_asked();
    emit(Event::Kind::kEncodeText, index, total);
    const std::vector<int64_t> ids = real_tokens(*tokenizer, prompt);
    const Tensor input_ids = at::tensor(ids, at::kLong).unsqueeze(0).to(placement_.device);
    const Tensor rows = text_encoder.forward(input_ids);
    return at::constant_pad_nd(rows, {0, 0, 0, kMaxSequenceLength - rows.size(1)});
  };
  PromptEmbeds prompt_embeds{encode(request.prompt, 0), std::nullopt};
  if (total == 2) prompt_embeds.negative_prompt = encode(*request.negative_prompt, 1);
  emit(Event::Kind::kEncodeText, total, total);
  return prompt_embeds;
}

Weights WanPipeline::open_weights(const std::string& component, LoadOptions options) const {
  stop_if_asked();
  emit(Event::Kind::kLoad, 0, 0, component);
  const std::string dtype = dtype_name(options.placement.dtype);
  Weights weights = Weights::open(checkpoint_.get(component), std::move(options));
  for (const std::filesystem::path& file : weights.files())
    log_verbose("reading " + file.string() + " as " + dtype);
  return weights;
}

WanTransformer3DConfig WanPipeline::transformer_config() const {
  return WanTransformer3DConfig::from_config(checkpoint_.get("transformer").config);
}

WanTransformer3DModel WanPipeline::load_transformer() const {
  const Weights weights = open_weights(
      "transformer", {.placement = placement_, .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32()});
  WanTransformer3DModel transformer(weights, transformer_config());
  weights.expect_all_used();
  return transformer;
}

void WanPipeline::load_vae() {
  if (vae_) return;
  const Weights weights =
      open_weights("vae", {.placement = {at::kFloat, placement_.device}, .keep_in_fp32 = {}});
  vae_ = std::make_unique<AutoencoderKLWan>(
      weights, AutoencoderKLWanConfig::from_config(checkpoint_.get("vae").config));
  weights.expect_all_used();
}

Tensor WanPipeline::prepare_latents(const GenerateRequest& request) const {
  const AutoencoderKLWanConfig& vae = vae_->config();
  const std::vector<int64_t> shape{
      1, transformer_config().in_channels, (*request.num_frames - 1) / vae.scale_factor_temporal + 1,
      *request.height / vae.scale_factor_spatial, *request.width / vae.scale_factor_spatial};
  return seeded_randn(shape, *request.seed).to(placement_.device);
}

Tensor WanPipeline::denoise(Tensor latents, const PromptEmbeds& prompt_embeds,
                            const GenerateRequest& request) const {
  const auto scheduler = make_scheduler(checkpoint_.scheduler, {.sampler = request.sampler,
                                                                .flow_shift = request.flow_shift,
                                                                .sigmas = request.sigmas,
                                                                .legacy_flow_sigmas = request.legacy_sigmas});
  scheduler->set_timesteps(*request.num_inference_steps);
  const WanTransformer3DModel transformer = load_transformer();
  const TextContext prompt = transformer.prepare(prompt_embeds.prompt);
  std::optional<TextContext> negative_prompt;
  if (prompt_embeds.negative_prompt) negative_prompt = transformer.prepare(*prompt_embeds.negative_prompt);

  for (int64_t step = 0; step < *request.num_inference_steps; ++step) {
    stop_if_asked();
    emit(Event::Kind::kStep, step, *request.num_inference_steps);
    const Tensor timestep = scheduler->timestep(step).to(placement_.device);
    const Tensor model_input = latents.to(placement_.dtype);
    Tensor noise_pred = transformer.forward(model_input, timestep, prompt);
    if (negative_prompt) {
      const Tensor noise_uncond = transformer.forward(model_input, timestep, *negative_prompt);
      noise_pred = classifier_free_guidance(noise_pred, noise_uncond, *request.guidance_scale);
    }
    latents = scheduler->step(noise_pred, latents);
  }
  emit(Event::Kind::kStep, *request.num_inference_steps, *request.num_inference_steps);
  latents = latents.to(at::kCPU, at::kFloat);
  check_finite(latents, "sampling");
  return latents;
}

void WanPipeline::decode(const Tensor& latents, const std::function<void(const Frames&)>& on_frames) {
  const c10::InferenceMode inference_mode;
  load_vae();
  const int64_t total = latents.size(2);
  int64_t done = 0;
  emit(Event::Kind::kDecode, done, total);
  vae_->decode(vae_->denormalize(latents.to(placement_.device)), [&](const Tensor& pixels) {
    stop_if_asked();
    on_frames(to_frames(pixels));
    emit(Event::Kind::kDecode, ++done, total);
  });
}

void WanPipeline::emit(Event::Kind kind, int64_t done, int64_t total, const std::string& detail) const {
  if (control_.on_event) control_.on_event({.kind = kind, .done = done, .total = total, .detail = detail});
}

void WanPipeline::stop_if_asked() const {
  if (control_.stop != nullptr && *control_.stop) throw Stopped{};
}

}  // namespace t2v
