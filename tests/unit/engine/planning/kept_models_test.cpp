#include "engine/planning/kept_models.h"

#include <gtest/gtest.h>

#include "engine/pipelines/registry.h"

namespace t2v {
namespace {

constexpr int64_t kGiB = 1 << 30;

/// Two experts and a VAE on a machine with that much memory, each phase taking what it is given.
class ModelsFitTest : public ::testing::Test {
 protected:
  ModelsFitTest()
      : checkpoint_(Checkpoint::open({.model = std::string(T2V_FIXTURES) + "/tiny-kinds/2.2-t2v"})) {
    for (const std::string name : {"transformer", "transformer_2"}) experts_ += bytes(name);
    plan_.machine.dtype = "float32";
    plan_.device = "cpu";
    plan_.phases = {{.name = "text", .seconds = {}},
                    {.name = "sampling", .seconds = {}},
                    {.name = "decoding", .seconds = {}}};
  }

  int64_t bytes(const std::string& name) const {
    return static_cast<int64_t>(loaded_bytes(checkpoint_.get(name), {.placement = {}, .keep_in_fp32 = {}}));
  }
  /// Whether they fit where the phase `index` takes `taken`, and the machine has `there`.
  bool fit(size_t index, int64_t taken, int64_t there) {
    plan_.phases[index].host_bytes = plan_.phases[index].gpu_bytes = taken;
    plan_.available.host = plan_.available.gpu = there;
    return models_fit();
  }
  bool models_fit() const {
    return models_fit_together(*make_cost_model(checkpoint_, request_, {}), checkpoint_, plan_);
  }

  Checkpoint checkpoint_;
  CheckedRequest request_;
  Plan plan_;
  int64_t experts_ = 0;
};

TEST_F(ModelsFitTest, CountsWhatThePhaseDoesNot) {
  const int64_t vae = bytes("vae"), expert = bytes("transformer");
  const auto there = [](int64_t needed) {
    return static_cast<int64_t>(static_cast<double>(needed) / 0.9) + 2;
  };
  EXPECT_TRUE(fit(0, kGiB, there(kGiB + experts_ + vae)));
  EXPECT_FALSE(fit(0, kGiB, there(kGiB + experts_ + vae) - 1000));
  plan_.phases[0].host_bytes = 0;
  EXPECT_TRUE(fit(1, kGiB, there(kGiB + experts_ - expert)));
  EXPECT_FALSE(fit(1, kGiB, there(kGiB + experts_ - expert) - 1000));
  plan_.phases[1].host_bytes = 0;
  EXPECT_TRUE(fit(2, kGiB, there(kGiB + experts_)));
  EXPECT_FALSE(fit(2, kGiB, there(kGiB + experts_) - 1000));
}

TEST_F(ModelsFitTest, LooksAtTheDevice) {
  plan_.device = "cuda:0";
  fit(1, kGiB, 2 * kGiB);
  plan_.available.host = 1;
  EXPECT_TRUE(models_fit());
  plan_.available.gpu = 1;
  EXPECT_FALSE(models_fit());
}

TEST_F(ModelsFitTest, TakesTheBestForGrantedWhereNothingIsKnown) { EXPECT_TRUE(fit(1, kGiB, 0)); }

}  // namespace
}  // namespace t2v
