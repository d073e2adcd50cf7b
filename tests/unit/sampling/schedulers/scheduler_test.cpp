#include "sampling/schedulers/scheduler.h"

#include <ATen/CPUGeneratorImpl.h>

#include "golden.h"
#include "sampling/names/samplers.h"
#include "sampling/schedulers/flow_match_euler_discrete.h"
#include "sampling/schedulers/unipc_multistep.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

using nlohmann::json;

const json kUnipc = {{"_class_name", "UniPCMultistepScheduler"},
                     {"prediction_type", "flow_prediction"},
                     {"use_flow_sigmas", true},
                     {"flow_shift", 5.0},
                     {"shift_terminal", 0.05},
                     {"num_train_timesteps", 500}};
const json kEuler = {{"_class_name", "FlowMatchEulerDiscreteScheduler"},
                     {"shift", 5.0},
                     {"shift_terminal", 0.05},
                     {"num_train_timesteps", 500}};

std::unique_ptr<Scheduler> make(const json& config, const SchedulerOverrides& overrides = {}) {
  return make_scheduler(Config(config, "scheduler_config.json"), overrides);
}

std::vector<double> sigmas_of(const json& config, const SchedulerOverrides& overrides, int64_t steps = 6) {
  const auto scheduler = make(config, overrides);
  scheduler->set_timesteps(steps);
  return scheduler->sigmas();
}

template <typename Call>
ErrorCode code_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode{0};
}

TEST(MakeScheduler, TheConfigNamesTheClass) {
  EXPECT_NE(dynamic_cast<UniPCMultistepScheduler*>(make(kUnipc).get()), nullptr);
  EXPECT_NE(dynamic_cast<FlowMatchEulerDiscreteScheduler*>(make(kEuler).get()), nullptr);
}

TEST(MakeScheduler, AnotherClassIsAnErrorThatNamesIt) {
  for (const json& name : {json("DDIMScheduler"), json(nullptr), json(3)}) {
    json config = kUnipc;
    config["_class_name"] = name;
    EXPECT_EQ(code_of([&] { make(config); }), ErrorCode::kInput) << name;
  }
  EXPECT_EQ(code_of([] { make(kUnipc, {.sampler = "ddim"}); }), ErrorCode::kUsage);
}

TEST(MakeScheduler, EveryWordOfTheCommandLineIsASampler) {
  for (const std::string& name : sampler_names()) {
    EXPECT_EQ(sampler_named(name).name, name);
    for (const json& config : {kUnipc, kEuler}) {
      const auto scheduler = make(config, {.sampler = name});
      scheduler->set_timesteps(3);
      EXPECT_EQ(scheduler->timesteps().size(), 3U) << name;
    }
  }
}

/// The latents that a sampler comes to with a model that bends.
Tensor sampled(const std::string& name) {
  const auto scheduler = make({{"_class_name", "UniPCMultistepScheduler"},
                               {"prediction_type", "flow_prediction"},
                               {"use_flow_sigmas", true},
                               {"flow_shift", 3.0}},
                              {.sampler = name});
  scheduler->set_timesteps(6);
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  Tensor latents = at::linspace(-2, 2, 32);
  for (const double timestep : scheduler->timesteps())
    latents = scheduler->step(at::tanh(2 * latents) * (timestep / 500), latents, generator);
  return latents;
}

TEST(MakeScheduler, EverySamplerSamplesInItsOwnWay) {
  for (const std::string& name : sampler_names()) {
    for (const std::string& other : sampler_names()) {
      const double apart = (sampled(name) - sampled(other)).abs().max().item<double>();
      EXPECT_EQ(apart > 1e-3, name != other) << name << " " << other << " " << apart;
    }
  }
}

// The grid, the terminal value and the shift of the one are those of the other, under either name.
TEST(MakeScheduler, AnotherSamplerTakesTheSettingsOver) {
  EXPECT_EQ(sigmas_of(kUnipc, {.sampler = "euler"}), sigmas_of(kEuler, {}));
  EXPECT_EQ(sigmas_of(kEuler, {.sampler = "unipc"}), sigmas_of(kUnipc, {}));
  EXPECT_EQ(sigmas_of(kUnipc, {.sampler = "unipc"}), sigmas_of(kUnipc, {}));
}

TEST(MakeScheduler, TheShiftOfTheOtherClassCountsOnlyForTheOther) {
  json config = kUnipc;
  config.erase("flow_shift");
  config["shift"] = 5.0;
  json unshifted = kUnipc;
  unshifted["flow_shift"] = 1.0;
  EXPECT_EQ(sigmas_of(config, {}), sigmas_of(unshifted, {}));
  json both = kUnipc;
  both["shift"] = 5.0;
  both["flow_shift"] = 9.0;
  EXPECT_EQ(sigmas_of(both, {.sampler = "euler"}), sigmas_of(kEuler, {}));
}

TEST(MakeScheduler, FlowShiftOverridesTheConfig) {
  json seven = kUnipc;
  seven["flow_shift"] = 7.0;
  EXPECT_EQ(sigmas_of(kUnipc, {.flow_shift = 7.0}), sigmas_of(seven, {}));
  json euler_seven = kEuler;
  euler_seven["shift"] = 7.0;
  EXPECT_EQ(sigmas_of(kEuler, {.flow_shift = 7.0}), sigmas_of(euler_seven, {}));
  for (const double shift : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_EQ(code_of([&] { make(kUnipc, {.flow_shift = shift}); }), ErrorCode::kUsage) << shift;
  }
}

TEST(MakeScheduler, SigmasMustFallFromOneTowardsZero) {
  EXPECT_EQ(sigmas_of(kEuler, {.sigmas = {1.0, 0.5}}, 6).size(), 3U);
  const std::vector<std::vector<double>> unusable = {
      {1.1, 0.5}, {0.5, 0.5}, {0.5, 0.6}, {0.5, 0.0}, {0.5, -0.1}, {std::nan("")}, {0.5, std::nan(""), 0.1}};
  for (const auto& sigmas : unusable) {
    EXPECT_EQ(code_of([&] { make(kUnipc, {.sigmas = sigmas}); }), ErrorCode::kUsage);
  }
  EXPECT_EQ(code_of([] { make(kUnipc, {.sigmas = linspace(1.0, 0.1, 1001)}); }), ErrorCode::kUsage);
}

TEST(Scheduler, StepsAreFromOneToAThousand) {
  for (const json& config : {kUnipc, kEuler}) {
    const auto scheduler = make(config);
    for (const int64_t steps : {int64_t{0}, int64_t{-3}, int64_t{1001}, INT64_MAX}) {
      EXPECT_EQ(code_of([&] { scheduler->set_timesteps(steps); }), ErrorCode::kUsage) << steps;
    }
  }
}

TEST(Scheduler, AGridThatCannotBeWalkedIsRefused) {
  json config = kUnipc;
  // One step starts at 1, which no stretching brings to the terminal value.
  EXPECT_EQ(code_of([&] { sigmas_of(config, {}, 1); }), ErrorCode::kUsage);
  EXPECT_EQ(code_of([&] { sigmas_of(kEuler, {}, 1); }), ErrorCode::kUsage);
  // So much shift that neighbours are one number in float32.
  config.erase("shift_terminal");
  EXPECT_EQ(code_of([&] { sigmas_of(config, {.flow_shift = 1e9}, 50); }), ErrorCode::kUsage);
}

TEST(Scheduler, TakesNoMoreStepsThanWereLaidOut) {
  for (const json& config : {kUnipc, kEuler}) {
    const auto scheduler = make(config);
    const Tensor x = at::ones({1, 2});
    EXPECT_EQ(code_of([&] { scheduler->step(x, x); }), ErrorCode::kBug);
    scheduler->set_timesteps(2);
    scheduler->step(x, x);
    scheduler->step(x, x);
    EXPECT_EQ(code_of([&] { scheduler->step(x, x); }), ErrorCode::kBug);
  }
}

}  // namespace
}  // namespace t2v
