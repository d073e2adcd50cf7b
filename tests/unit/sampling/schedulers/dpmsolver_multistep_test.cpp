#include "sampling/schedulers/dpmsolver_multistep.h"

#include "golden.h"

namespace t2v {
namespace {

using nlohmann::json;

const json kConfig = {{"_class_name", "DPMSolverMultistepScheduler"},
                      {"prediction_type", "flow_prediction"},
                      {"use_flow_sigmas", true},
                      {"flow_shift", 5.0}};

TEST(DPMSolver, GridsEqualTheReference) { golden::expect_grids("DPMSolverMultistepScheduler", 13); }

TEST(DPMSolver, StepsEqualTheReference) { golden::expect_traces("DPMSolverMultistepScheduler", 66); }

// At a noise level of 1 nothing of the sample is left, and log(alpha) is infinite.
TEST(DPMSolver, GivenNoiseLevelsMayStartAtOne) {
  const auto scheduler = make_scheduler(Config(kConfig, "test"), {.sigmas = {1.0, 0.7, 0.3}});
  scheduler->set_timesteps(3);
  Tensor x = at::linspace(-1, 1, 6).reshape({1, 6});
  for (int i = 0; i < 3; ++i) x = scheduler->step(0.5 * x, x);
  EXPECT_TRUE(at::isfinite(x).all().item<bool>());
}

TEST(DPMSolver, UnsupportedSettingsAreNamed) {
  const std::vector<std::pair<std::string, json>> settings = {{"prediction_type", "epsilon"},
                                                              {"prediction_type", nullptr},
                                                              {"use_flow_sigmas", false},
                                                              {"solver_order", 3},
                                                              {"algorithm_type", "sde-dpmsolver++"},
                                                              {"final_sigmas_type", "sigma_min"},
                                                              {"thresholding", true},
                                                              {"use_lu_lambdas", true},
                                                              {"use_dynamic_shifting", true},
                                                              {"flow_shift", -1.0}};
  golden::expect_refused(kConfig, settings);
}

}  // namespace
}  // namespace t2v
