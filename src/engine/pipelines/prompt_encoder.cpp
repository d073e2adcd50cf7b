#include "engine/pipelines/prompt_encoder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <ATen/Parallel.h>

#include "core/file.h"
#include "core/machine.h"
#include "engine/pipelines/prompt_embeds_cache.h"
#include "engine/pipelines/prompt_tokens.h"
#include "sampling/guidance/classifier_free_guidance.h"
#include "tensors/device.h"

namespace t2v {
namespace {

/// Embeddings of coming clips take at most this many bytes: enough for a thousand prompts of one sentence.
constexpr uint64_t kMostEmbeds = uint64_t{1} << 30;

/// The most bytes for embeddings of coming clips: a quarter of the available memory of the host, which keeps
/// them, and of `device`, which computes them, if known. The rest is for computation and models.
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

PromptEncoder::PromptEncoder(const RenderJob& job, const ComponentLoader& loader, const RunProgress& progress,
                             TextEncoder text_encoder)
    : job_(job), loader_(loader), progress_(progress), text_encoder_(std::move(text_encoder)) {}

Placement PromptEncoder::placement() const {
  Placement placement = job_.placement;
  const std::string& device = job_.request.machine.text_encoder_device;
  if (!device.empty()) placement.device = parse_device(device);
  if (placement.dtype == at::kHalf && !text_encoder_.float16) placement.dtype = at::kFloat;
  return placement;
}

PromptEmbeds PromptEncoder::encode(const std::vector<std::string>& prompts) const {
  const std::string& tokenizer = find_part(*job_.checkpoint.family, text_encoder_.component)->tokenizer;
  // A different number of threads changes the order of sums, and so the rounding.
  const std::string key = loader_.cache_key(text_encoder_.component, options()) + ";" +
                          file_identity(job_.checkpoint.get_tokenizer(tokenizer).path) + "," +
                          std::to_string(at::get_num_threads());
  return loader_.models().embeds(key, prompts,
                                 room_for_embeds(placement().device, job_.request.machine.max_vram),
                                 [this](const auto& missing) { return find_or_compute(missing); });
}

PromptEmbeds PromptEncoder::find_or_compute(const std::vector<std::string>& prompts) const {
  const auto total = static_cast<int64_t>(prompts.size());
  auto tokens =
      prompt_tokens(job_.checkpoint, text_encoder_.component, prompts, text_encoder_.max_sequence_length);
  std::optional<PromptEmbedsCache> cache;
  if (const auto& folder = job_.request.machine.embeds_cache; !folder.empty())
    cache.emplace(folder, job_.checkpoint.get(text_encoder_.component), placement());
  PromptEmbeds embeds(prompts.size());
  std::vector<std::vector<int64_t>> missing;
  for (size_t i = 0; i < prompts.size(); ++i) {
    if (cache) embeds[i] = cache->find(tokens[i]).value_or(Tensor());
    if (!embeds[i].defined()) missing.push_back(std::move(tokens[i]));
  }
  if (!missing.empty()) {
    PromptEmbeds computed = compute(missing);
    auto next = computed.begin();
    for (Tensor& rows : embeds) {
      if (!rows.defined()) rows = *next++;
    }
    for (size_t i = 0; cache && i < missing.size(); ++i) cache->store(missing[i], computed[i]);
  }
  progress_.report(Event::Kind::kEncodeText, total, total);
  return embeds;
}

PromptEmbeds PromptEncoder::compute(const std::vector<std::vector<int64_t>>& tokens) const {
  const Weights weights = loader_.open(text_encoder_.component, options());
  // All prompts go through a block together: each block is used once, and no block needs to stay.
  const BlockResidency residency{.resident = 0,
                                 .ahead = placement().device.is_cpu() ? 0 : 1,
                                 .before_each = loader_.models().stop_check()};
  const TextEncoder::Forward forward =
      text_encoder_.make(weights, loader_.config(text_encoder_.component), residency);
  weights.expect_all_used();
  progress_.stop_if_asked();
  progress_.report(Event::Kind::kEncodeText, 0, static_cast<int64_t>(tokens.size()));
  std::vector<Tensor> input_ids;
  for (const auto& ids : tokens) input_ids.push_back(at::tensor(ids, at::kLong));
  return forward(input_ids);
}

}  // namespace t2v
