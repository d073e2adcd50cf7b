#include "engine/pipelines/model_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace t2v {
namespace {

using Prompts = std::vector<std::string>;

constexpr size_t kRoom = size_t{1} << 30;

struct Model {
  int number;
};
struct OtherModel {};

class ModelStoreTest : public ::testing::Test {
 protected:
  void begin(bool same_models, Prompts prompts = {}) {
    store_.begin(control_, {same_models, std::move(prompts)});
  }

  std::shared_ptr<const Model> get(const std::string& name, const std::string& key) {
    return store_.get<Model>(name, key, [this] { return std::make_shared<const Model>(++loads_); });
  }

  /// What the text encoder was asked for, by embeds() of these prompts.
  Prompts asked_for(const Prompts& prompts, const std::string& encoder = "encoder") {
    Prompts asked;
    const std::vector<Tensor> rows = store_.embeds(encoder, prompts, kRoom, [&](const Prompts& missing) {
      asked = missing;
      std::vector<Tensor> made;
      for (const std::string& prompt : missing)
        made.push_back(at::full({1, 1, 1}, static_cast<double>(prompt.size())));
      return made;
    });
    EXPECT_EQ(rows.size(), prompts.size());
    for (size_t i = 0; i < prompts.size(); ++i)
      EXPECT_EQ(rows[i].item<double>(), static_cast<double>(prompts[i].size()));
    return asked;
  }

  RunControl control_;
  ModelStore store_;
  int loads_ = 0;
};

TEST_F(ModelStoreTest, KeepsWhatAComingClipUses) {
  begin(true);
  get("vae", "a");
  begin(true);
  EXPECT_EQ(get("vae", "a")->number, 1);
  EXPECT_EQ(get("vae", "b")->number, 2);
  EXPECT_EQ(get("vae", "a")->number, 3);
}

TEST_F(ModelStoreTest, ForgetsWhatNoComingClipUses) {
  begin(true);
  const std::weak_ptr<const Model> first = get("vae", "a");
  EXPECT_FALSE(first.expired());
  begin(false);
  EXPECT_EQ(get("vae", "a")->number, 1);  // kept for this clip
  EXPECT_TRUE(first.expired());
  EXPECT_EQ(get("vae", "a")->number, 2);
}

TEST_F(ModelStoreTest, DropsAModelBeforeItLoadsAnotherOfThatName) {
  begin(true);
  const std::weak_ptr<const Model> first = get("transformer", "a");
  store_.get<Model>("transformer", "b", [&] {
    EXPECT_TRUE(first.expired());
    return std::make_shared<const Model>(0);
  });
}

TEST_F(ModelStoreTest, TellsClassesApart) {
  begin(true);
  get("transformer", "a");
  bool loaded = false;
  store_.get<OtherModel>("transformer", "a", [&] {
    loaded = true;
    return std::make_shared<const OtherModel>();
  });
  EXPECT_TRUE(loaded);
}

TEST_F(ModelStoreTest, EncodesWhatIsComingTogether) {
  begin(true, {"two", "one", "three"});
  EXPECT_EQ(asked_for({"one", ""}), (Prompts{"one", "", "two", "three"}));
  begin(true, {"three"});
  EXPECT_EQ(asked_for({"two", ""}), Prompts{});
  begin(true);
  EXPECT_EQ(asked_for({"three", ""}), Prompts{});
  EXPECT_EQ(asked_for({"one"}), Prompts{"one"});  // was not coming any longer
}

TEST_F(ModelStoreTest, EncodesOnceWhatIsThereTwice) {
  begin(true, {"one", "one", "two"});
  EXPECT_EQ(asked_for({"one", "one"}), (Prompts{"one", "two"}));
}

TEST_F(ModelStoreTest, TellsTextEncodersApart) {
  begin(true, {"one"});
  asked_for({"one"});
  EXPECT_EQ(asked_for({"one"}, "other"), Prompts{"one"});
}

TEST_F(ModelStoreTest, EncodesWhatFitsAtOnce) {
  // The longest that the largest encoder sees: 512 tokens of 4096 floats, 8 MiB.
  Prompts coming;
  for (int i = 0; i < 300; ++i) coming.push_back(std::to_string(i) + std::string(1024, 'x'));
  begin(true, coming);
  EXPECT_EQ(asked_for({coming[0]}).size(), 128);
  EXPECT_EQ(asked_for({coming[100]}), Prompts{});
  EXPECT_EQ(asked_for({coming[200]}).size(), 128);
}

TEST_F(ModelStoreTest, EncodesShortOnesTogether) {
  Prompts coming;
  for (int i = 0; i < 1000; ++i) coming.push_back(std::to_string(i));
  begin(true, coming);
  EXPECT_EQ(asked_for({"first"}).size(), 1001);
}

TEST_F(ModelStoreTest, StaysAsItWasWhenEncodingFails) {
  begin(true);
  asked_for({"one"});
  const auto fail = [](const Prompts&) -> std::vector<Tensor> { throw Stopped{}; };
  EXPECT_THROW(store_.embeds("encoder", {"one", "two"}, kRoom, fail), Stopped);
  EXPECT_EQ(asked_for({"one"}), Prompts{});
}

TEST_F(ModelStoreTest, StopsTheClipAtHand) {
  std::atomic<bool> stop = true;
  const RunControl stopped{.on_event = {}, .stop = &stop};
  begin(true);
  const auto check = store_.stop_check();
  check();
  store_.begin(stopped, {});
  EXPECT_THROW(check(), Stopped);
  begin(true);
  check();
}

}  // namespace
}  // namespace t2v
