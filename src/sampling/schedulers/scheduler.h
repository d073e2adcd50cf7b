#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "tensors/tensor.h"

namespace t2v {

/// Settings of the user that replace settings of scheduler_config.json.
struct SchedulerOverrides {
  std::optional<std::string> sampler =
      {};                                 ///< one of sampler_names(); settings of the other class carry over
  std::optional<double> flow_shift = {};  ///< above 0
  std::vector<double> sigmas = {};  ///< replaces the sampler's own grid before the shift: falling, in (0, 1]
  /// The grid of UniPC in diffusers up to 0.36 and in the original code of models, in place of the later one.
  bool legacy_flow_sigmas = false;
};

/// Turns noise predictions into the next latents. Holds the state of one clip; set_timesteps() starts the
/// next clip.
class Scheduler {
 public:
  virtual ~Scheduler() = default;

  /// Computes the grid of num_inference_steps steps (1 to 1000), or of one step for each sigma of the user,
  /// and forgets earlier steps. Error (kUsage) for a number, or a grid, that cannot be used.
  void set_timesteps(int64_t num_inference_steps);

  /// Takes the i-th step on the i-th call. model_output and sample have one shape. A sampler that adds noise
  /// draws it from `generator`, on the CPU; without one it comes from LibTorch's own, as in the reference.
  /// Error (kBug) after the last step.
  Tensor step(const Tensor& model_output, const Tensor& sample,
              const std::optional<at::Generator>& generator = {});

  /// One timestep a step, exactly the reference's: int64 (UniPC, DPM++) or float32 (Euler, LCM).
  const std::vector<double>& timesteps() const { return timesteps_; }
  /// One sigma a step and the final one, exactly the reference's float32 values.
  const std::vector<double>& sigmas() const { return sigmas_; }
  /// timesteps()[index] as the transformer takes it: [1], int64 or float32, on the CPU.
  Tensor timestep(int64_t index) const;

 protected:
  explicit Scheduler(at::ScalarType timestep_dtype) : timestep_dtype_(timestep_dtype) {}

  /// Calls start() with the grids for num_inference_steps or for the sigmas of the user.
  virtual void lay_out(int64_t num_inference_steps) = 0;
  /// Takes step `index`.
  virtual Tensor take_step(int64_t index, const Tensor& model_output, const Tensor& sample,
                           const std::optional<at::Generator>& generator) = 0;
  /// Starts a clip on these grids.
  void start(std::vector<double> timesteps, std::vector<double> sigmas);
  int64_t num_steps() const { return static_cast<int64_t>(timesteps_.size()); }
  /// sigmas()[index] as a float32 tensor without dimensions: it rounds as the reference's does, and promotes
  /// no dtype.
  Tensor sigma(int64_t index) const { return at::scalar_tensor(sigmas_[index], at::kFloat); }

 private:
  at::ScalarType timestep_dtype_;
  std::vector<double> timesteps_;
  std::vector<double> sigmas_;
  int64_t step_index_ = 0;
};

/// The scheduler that `_class_name` names, or the one of overrides.sampler. Keys that both classes have carry
/// over from one to the other as in diffusers' from_config. Unlike in diffusers, the shift carries over too:
/// UniPC and DPM++ call it flow_shift, Euler and LCM shift. Error (kInput) for a class or a setting that is
/// not supported, (kUsage) for an override that cannot be used.
std::unique_ptr<Scheduler> make_scheduler(const Config& config, const SchedulerOverrides& overrides);

}  // namespace t2v
