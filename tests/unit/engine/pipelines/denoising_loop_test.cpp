#include "engine/pipelines/denoising_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace t2v {
namespace {

constexpr const char *kTransformer = "transformer", *kLowNoiseTransformer = "transformer_2";

namespace fs = std::filesystem;

constexpr int64_t kSteps = 6;

class DenoisingLoopTest : public ::testing::Test {
 protected:
  DenoisingLoopTest() {
    job_.checkpoint.scheduler = Config({{"_class_name", "FlowMatchEulerDiscreteScheduler"}}, "scheduler");
    job_.request.sampling.num_inference_steps = kSteps;
    job_.request.sampling.sampler = "euler";
    for (int64_t step = 0; step < kSteps; ++step)  // of one size
      job_.request.sampling.sigmas.push_back(1 - static_cast<double>(step) / kSteps);
  }

  /// A network that predicts latents * (pass + 1) / 10, of which the mean of all passes is taken.
  static Denoiser scaling(size_t passes) {
    Denoiser denoiser;
    denoiser.component_at = [](double) { return kTransformer; };
    denoiser.passes = passes;
    denoiser.load = [](const std::string&) -> NoisePredictor {
      return [](const Latents& latents, const Tensor&, const GuidancePass& pass) {
        Latents noise_pred;
        for (const auto& [kind, values] : latents)
          noise_pred[kind] = values * (static_cast<double>(pass.index + 1) / 10);
        return noise_pred;
      };
    };
    denoiser.guide = [](const std::vector<Latents>& noise_preds, const std::string&) {
      Latents sum = noise_preds[0];
      for (size_t i = 1; i < noise_preds.size(); ++i) {
        for (auto& [kind, values] : sum) values = values + noise_preds[i].at(kind);
      }
      for (auto& [kind, values] : sum) values = values / static_cast<double>(noise_preds.size());
      return sum;
    };
    return denoiser;
  }

  Latents run(const Latents& latents, const Denoiser& denoiser) {
    return loop_.run(latents, seeded_generator(0), denoiser);
  }

  const Tensor video_ = seeded_randn({1, 4, 3, 2, 2}, 1), audio_ = seeded_randn({1, 2, 5}, 2);
  std::atomic<bool> stop_ = false;
  RunControl control_{.on_event = {}, .stop = &stop_};
  RenderJob job_{Checkpoint::open({.model = fs::path(T2V_FIXTURES) / "tiny-kinds/2.2-t2v"}), {}, {}, {}};
  ModelStore models_;
  RunProgress progress_{control_};
  ComponentLoader loader_{job_, models_, progress_};
  DenoisingLoop loop_{job_, loader_, progress_};
};

TEST_F(DenoisingLoopTest, StepsEveryKindOfLatents) {
  const Denoiser denoiser = scaling(1);
  const Latents video = run({{kVideoLatents, video_}}, denoiser);
  const Latents audio = run({{"audio_latents", audio_}}, denoiser);
  const Latents both = run({{kVideoLatents, video_}, {"audio_latents", audio_}}, denoiser);
  EXPECT_FALSE(at::equal(video.at(kVideoLatents), video_));
  EXPECT_TRUE(at::equal(both.at(kVideoLatents), video.at(kVideoLatents)));
  EXPECT_TRUE(at::equal(both.at("audio_latents"), audio.at("audio_latents")));
}

TEST_F(DenoisingLoopTest, CombinesAllPassesOfAStep) {
  const Denoiser denoiser = scaling(3);
  const Tensor result = run({{kVideoLatents, video_}}, denoiser).at(kVideoLatents);
  // The mean of 0.1, 0.2 and 0.3.
  double scale = 1;
  for (int64_t step = 0; step < kSteps; ++step) scale *= 1 - 0.2 / kSteps;
  EXPECT_TRUE(at::allclose(result, video_ * scale, 1e-5, 1e-6));
}

TEST_F(DenoisingLoopTest, LoadsAComponentWhenItsFirstStepComesAndReleasesTheOneBefore) {
  Denoiser denoiser = scaling(1);
  denoiser.component_at = [](double timestep) {
    return timestep < 500 ? kLowNoiseTransformer : kTransformer;
  };
  std::vector<std::string> loaded;
  std::weak_ptr<int> before;
  denoiser.load = [&, load = denoiser.load](const std::string& component) -> NoisePredictor {
    EXPECT_TRUE(before.expired());
    loaded.push_back(component);
    const auto weights = std::make_shared<int>(0);
    before = weights;
    return [weights, predict = load(component)](const auto& latents, const auto& timestep, const auto& pass) {
      return predict(latents, timestep, pass);
    };
  };
  run({{kVideoLatents, video_}}, denoiser);
  EXPECT_THAT(loaded, testing::ElementsAre(kTransformer, kLowNoiseTransformer));
}

TEST_F(DenoisingLoopTest, ShowsTheDenoisedClipAfterEachStep) {
  Denoiser denoiser = scaling(1);
  std::vector<int64_t> done;
  Latents last;
  denoiser.on_step = [&](int64_t step, int64_t total, const std::function<Latents()>& denoised) {
    EXPECT_EQ(total, kSteps);
    done.push_back(step);
    last = denoised();
  };
  const Latents result = run({{kVideoLatents, video_}, {"audio_latents", audio_}}, denoiser);
  EXPECT_THAT(done, testing::ElementsAre(1, 2, 3, 4, 5, 6));
  for (const auto& [kind, values] : result) EXPECT_TRUE(at::allclose(last.at(kind), values)) << kind;
}

TEST_F(DenoisingLoopTest, CachesStepsOfAllKindsAndPasses) {
  job_.request.caching = {.mode = "easycache", .options = {"threshold=1000", "first=2", "last=1"}};
  const Denoiser denoiser = scaling(3);
  const Latents latents = run({{kVideoLatents, video_}, {"audio_latents", audio_}}, denoiser);
  EXPECT_EQ(loop_.skipped_steps(), kSteps - 3);
  EXPECT_EQ(latents.at(kVideoLatents).sizes(), video_.sizes());
  EXPECT_EQ(latents.at("audio_latents").sizes(), audio_.sizes());
}

TEST_F(DenoisingLoopTest, StopsAtTheNextStep) {
  Denoiser denoiser = scaling(1);
  int64_t last = 0;
  denoiser.on_step = [&](int64_t step, int64_t, const auto&) {
    last = step;
    stop_ = step == 2;
  };
  EXPECT_THROW(run({{kVideoLatents, video_}}, denoiser), Stopped);
  EXPECT_EQ(last, 2);
}

}  // namespace
}  // namespace t2v
