#include "engine/pipelines/denoising_loop.h"

#include <algorithm>

#include "core/log.h"
#include "core/setting.h"

namespace t2v {
namespace {

/// The files of a component are read into memory this many steps before its first one.
constexpr int64_t kStepsToPrefetch = 3;

/// All kinds of latents in one tensor; a single kind is returned as it is.
Tensor joined(const Latents& latents) {
  if (latents.size() == 1) return latents.begin()->second;
  std::vector<Tensor> values;
  for (const auto& [kind, tensor] : latents) values.push_back(tensor.flatten());
  return at::cat(values);
}

/// The inverse of joined(), with the kinds and shapes of `like`.
Latents separated(const Tensor& values, const Latents& like) {
  if (like.size() == 1) return {{like.begin()->first, values}};
  Latents latents;
  int64_t first = 0;
  for (const auto& [kind, tensor] : like) {
    latents[kind] = values.narrow(0, first, tensor.numel()).view(tensor.sizes());
    first += tensor.numel();
  }
  return latents;
}

/// The latents without the noise of this level.
Latents denoised(const Latents& latents, const Latents& noise_pred, double sigma) {
  Latents result;
  for (const auto& [kind, values] : latents) result[kind] = values - sigma * noise_pred.at(kind);
  return result;
}

}  // namespace

DenoisingLoop::Schedulers DenoisingLoop::make_schedulers(const Latents& latents) const {
  const CheckedSampling& sampling = job_.request.sampling;
  Schedulers schedulers;
  for (const auto& [kind, values] : latents) {
    auto& scheduler = schedulers[kind] =
        make_scheduler(job_.checkpoint.scheduler, {.sampler = sampling.sampler,
                                                   .flow_shift = sampling.flow_shift,
                                                   .sigmas = sampling.sigmas,
                                                   .legacy_flow_sigmas = sampling.legacy_sigmas});
    scheduler->set_timesteps(sampling.num_inference_steps);
  }
  return schedulers;
}

Latents DenoisingLoop::run(Latents latents, const at::Generator& noise, const Denoiser& denoiser) {
  const Schedulers schedulers = make_schedulers(latents);
  const Scheduler& steps = *schedulers.begin()->second;
  std::vector<std::string> component;  // of each step
  for (const double timestep : steps.timesteps()) component.push_back(denoiser.component_at(timestep));
  const auto total = static_cast<int64_t>(component.size());

  NoisePredictor predictor;
  std::future<void> prefetched;
  for (int64_t step = 0; step < total; ++step) {
    progress_.stop_if_asked();
    if (!prefetched.valid()) prefetched = prefetch_next(component, step);
    if (step == 0 || component[step] != component[step - 1]) {
      predictor = nullptr;  // releases the other component before this one is loaded
      predictor = denoiser.load(component[step]);
      begin_caching(component, step);
    }
    progress_.report(Event::Kind::kStep, step, total);
    const Latents noise_pred =
        denoiser.guide(predict(predictor, latents, steps.timestep(step), denoiser.passes), component[step]);
    if (denoiser.on_step) {
      denoiser.on_step(step + 1, total, [&] { return denoised(latents, noise_pred, steps.sigmas()[step]); });
    }
    for (auto& [kind, values] : latents)
      values = schedulers.at(kind)->step(noise_pred.at(kind), values, noise);
  }
  progress_.report(Event::Kind::kStep, total, total);
  finish_caching();
  log_skipped_steps();
  return latents;
}

std::vector<Latents> DenoisingLoop::predict(const NoisePredictor& predictor, const Latents& latents,
                                            const Tensor& timestep, size_t passes) const {
  const bool caches_blocks = step_cache_ && step_cache_->around() == StepCache::Around::kBlocks;
  const bool caches_model = step_cache_ && step_cache_->around() == StepCache::Around::kModel;
  std::vector<Latents> noise_preds;
  for (size_t index = 0; index < passes; ++index) {
    GuidancePass pass{.index = index};
    if (caches_blocks) {
      pass.around = [this, index](const Tensor& hidden_states, const Tensor& temb, const auto& blocks) {
        return step_cache_->run(index, hidden_states, temb, blocks);
      };
    }
    const auto compute = [&] { return predictor(latents, timestep, pass); };
    noise_preds.push_back(caches_model ? separated(step_cache_->run(index, joined(latents), {},
                                                                    [&] { return joined(compute()); }),
                                                   latents)
                                       : compute());
  }
  return noise_preds;
}

std::future<void> DenoisingLoop::prefetch_next(const std::vector<std::string>& components,
                                               int64_t step) const {
  const auto soon = std::min<size_t>(step + kStepsToPrefetch, components.size() - 1);
  if (components[soon] == components[step]) return {};
  return loader_.prefetch(components[soon]);
}

void DenoisingLoop::begin_caching(const std::vector<std::string>& components, int64_t step) {
  finish_caching();
  const StepCaching& caching = job_.request.caching;
  const auto total = static_cast<int64_t>(components.size());
  const auto count = std::count(components.begin(), components.end(), components[step]);
  step_cache_ = StepCache::make(read_cache_options(caching.mode, caching.options, total),
                                {.first = step, .count = count, .total = total});
}

void DenoisingLoop::finish_caching() {
  if (!step_cache_) return;
  skipped_steps_ = skipped_steps_.value_or(0) + step_cache_->skipped();
  if (const std::string found = step_cache_->found(); !found.empty()) log_warning("measured: " + found);
  step_cache_ = nullptr;
}

void DenoisingLoop::log_skipped_steps() const {
  if (!skipped_steps_) return;
  log_warning(setting("cache_mode", job_.request.caching.mode) + " skipped " +
              std::to_string(*skipped_steps_) + " of " +
              std::to_string(job_.request.sampling.num_inference_steps) + " steps");
}

}  // namespace t2v
